import APIModels
import Glibc
import HTTPTypes
import HummingbirdCore
import Processes
import TestSupport
import Testing
import WireProtocol

@testable import API
@testable import HTTP

@Suite struct OpenAPITests {
    static func document(_ house: House) async throws -> JSONValue {
        let reply = try await house.ask(.get, "/openapi.json", key: "")
        #expect(reply.status == 200)
        return try reply.json
    }

    @Test func `every endpoint is described, and every reference leads somewhere`() async throws {
        let house = try await House()
        let document = try await Self.document(house)
        for endpoint in house.server.endpoints {
            let operation = document["paths"]?[endpoint.path]?[endpoint.method.rawValue.lowercased()]
            #expect(operation?["responses"]?[String(endpoint.description.status)] != nil, "\(endpoint.path)")
            #expect((operation?["requestBody"] != nil) == (endpoint.description.body != nil))
        }
        var references: Set<String> = []
        Self.references(document, &references)
        #expect(references.count > 15)
        for reference in references {
            let parts = reference.split(separator: "/").dropFirst().map(String.init)
            #expect(parts.reduce(JSONValue?.some(document)) { $0?[$1] } != nil, "\(reference)")
        }
    }

    @Test func `a parameter that is described as any text takes any text`() async throws {
        let house = try await House()
        var count = 0
        for endpoint in house.server.endpoints where endpoint.method == .get && endpoint.parameters.isEmpty {
            guard endpoint.description.mediaType == "application/json" else { continue }
            for parameter in endpoint.description.query.map(\.described) where parameter["name"] != "cursor" {
                let schema = parameter["schema"]?["items"] ?? parameter["schema"]
                guard schema?["type"] == "string", schema?["enum"] == nil else { continue }
                let name = try #require(parameter["name"]?.asString)
                let reply = try await house.ask(.get, "\(endpoint.path)?\(name)=zz")
                #expect(reply.status == 200 || reply.status == 404, "\(endpoint.path) \(name)")
                count += 1
            }
        }
        #expect(count > 20)
    }

    @Test func `integers that are asked for have bounds, and rows come with columns`() async throws {
        let schemas = try #require(try await Self.document(House())["components"]?["schemas"])
        let claims = try #require(schemas["NodeClaimsView"]?["properties"]?["pools"]?["additionalProperties"])
        #expect(claims["maximum"] == .integer(.max) && claims["minimum"] == .integer(.min))
        #expect(schemas["InputBody"]?["allOf"]?.asArray?.count == 2)
        #expect(schemas["ActionOffer"]?["properties"]?["deadline_seconds"] == ["type": "integer"])
    }

    @Test func `operation ids are unique`() async throws {
        let house = try await House()
        let document = try await Self.document(house)
        let names = (document["paths"]?.asObject?.members ?? []).flatMap { path in
            (path.value.asObject?.members ?? []).compactMap { $0.value["operationId"]?.asString }
        }
        #expect(names.count == house.server.endpoints.count && Set(names).count == names.count)
    }

    @Test func `schemas know which fields are required and of what type`() async throws {
        let house = try await House()
        let schemas = try #require(await Self.document(house)["components"]?["schemas"])
        let plan = try #require(schemas["ContainerSpec"])
        #expect(plan["required"] == ["image", "memory_bytes", "cpu_millis", "disk_bytes"])
        #expect(plan["additionalProperties"] == false)
        #expect(plan["properties"]?["memory_bytes"]?["minimum"] == .integer(6 << 20))
        #expect(plan["properties"]?["env"]?["additionalProperties"]?["type"] == "string")
        #expect(plan["properties"]?["command"]?["items"]?["maxLength"] == 4096)
        #expect(plan["properties"]?["placement"]?["properties"]?["strategy"]?["enum"] == ["spread", "pack"])
        for model in ["Plan", "PlanRequest", "PlanChange"] {
            let fields = schemas[model]?["properties"]?["spec"]
            #expect(fields == ["anyOf": [["$ref": "#/components/schemas/ContainerSpec"]]], "\(model)")
        }
        #expect(schemas["JoinTokenRequest"]?["properties"]?["labels"]?["type"] == ["object", "null"])
        #expect(schemas["Node"]?["properties"]?["last_seen"] == ["type": "string", "format": "date-time"])
        #expect(
            schemas["ListingOfNode"]?["properties"]?["items"] == [
                "type": "array", "items": ["$ref": "#/components/schemas/Node"],
            ])
    }

    private static func plan(_ name: String, memory: Int = 6_291_456, cpu: Int = 10) -> String {
        """
        {"name":"\(name)","spec":{"image":"r.example.org:5000/a/b:t","memory_bytes":\(memory),"cpu_millis":\(cpu),\
        "disk_bytes":1048576}}
        """
    }

    @Test func `what a repeat is answered with, and what a reader who knows gets, is described`() async throws {
        let house = try await House()
        let paths = try #require(await Self.document(house)["paths"])
        let orders = paths["/api/v1/services"]?["post"]?["responses"]
        #expect(orders?["202"] != nil && orders?["200"]?["content"] == orders?["202"]?["content"])
        #expect(paths["/api/v1/nodes"]?["get"]?["responses"]?["304"] != nil)
        let patch = paths["/api/v1/nodes/{node}/labels"]?["patch"]?["requestBody"]?["content"]
        #expect(patch?["application/merge-patch+json"] != nil)
    }

    /// The document promises bounds; these lie just inside and just outside of each.
    @Test(arguments: [
        ("/api/v1/tokens", #"{"uses":10000,"expires_in_seconds":60}"#, true),
        ("/api/v1/tokens", #"{"uses":10001}"#, false),
        ("/api/v1/tokens", #"{"expires_in_seconds":31536000}"#, true),
        ("/api/v1/tokens", #"{"expires_in_seconds":59}"#, false), ("/api/v1/tokens", #"{"labels":{"a/b":""}}"#, true),
        ("/api/v1/tokens", #"{"labels":{"a/":""}}"#, false), ("/api/v1/tokens", #"{"uses":null,"labels":null}"#, true),
        ("/api/v1/keys", #"{"name":"a","scopes":[]}"#, false),
        ("/api/v1/keys", #"{"name":"","scopes":["read"]}"#, false),
        ("/api/v1/keys", #"{"name":"Zoë 日本 🙂","scopes":["read"]}"#, true),
        ("/api/v1/plans", OpenAPITests.plan("a"), true),
        ("/api/v1/plans", OpenAPITests.plan("a", memory: 6_291_455), false),
        ("/api/v1/plans", OpenAPITests.plan("a", cpu: 1_000_001), false),
        ("/api/v1/plans", OpenAPITests.plan("A"), false),
    ])
    func `bounds are as the document has them`(path: String, body: String, isGood: Bool) async throws {
        let house = try await House()
        let status = try await house.ask(.post, path, body).status
        #expect(isGood ? status == 201 : status == 400)
    }

    @Test(.enabled("openapi-spec-validator is not installed", Validator.isInstalled))
    func `an independent validator takes the document`() async throws {
        let house = try await House()
        let bytes = try await house.ask(.get, "/openapi.json", key: "").body
        let file = try house.folder.write(bytes, to: "openapi.json")
        let outcome = try await Child.run(
            ProcessRequest(
                "python3", ["-m", "openapi_spec_validator", file], environment: Validator.path,
                deadline: .seconds(120)))
        #expect(outcome.exit == .code(0), "\(String(decoding: outcome.stdout + outcome.stderr, as: UTF8.self))")
    }

    private static func references(_ value: JSONValue, _ found: inout Set<String>) {
        switch value {
        case .array(let items): for item in items { references(item, &found) }
        case .object(let object):
            for member in object.members {
                if member.key == "$ref", let text = member.value.asString { found.insert(text) }
                references(member.value, &found)
            }
        default: break
        }
    }
}

/// The Python package that checks OpenAPI documents.
enum Validator {
    /// Where the caller's own Python is found, which need not be the system's.
    static let path = ["PATH": getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"]

    @Sendable static func isInstalled() async throws -> Bool {
        let script = "import importlib.util as u, sys; sys.exit(0 if u.find_spec('openapi_spec_validator') else 1)"
        let outcome = try? await Child.run(
            ProcessRequest("python3", ["-c", script], environment: path, deadline: .seconds(60)))
        return outcome?.exit == .code(0)
    }
}
