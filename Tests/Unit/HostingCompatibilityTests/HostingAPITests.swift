import APIModels
import ControllerCore
import HTTP
import HTTPFetch
import HostingCompatibility
import Logging
import ServiceLifecycle
import Store
import Synchronization
import TestSupport
import Testing
import WireProtocol

@testable import API

/// The door that a hub knocks at, over real HTTP.
@Suite(.timeLimit(.minutes(2))) struct HostingAPITests {
    private struct Door: Sendable {
        let yard: Yard
        let port: Int
        let key: String
        private let client = HTTPClient()

        init(_ yard: Yard, _ port: Int, _ key: String) { (self.yard, self.port, self.key) = (yard, port, key) }

        func ask(
            _ method: String, _ path: String, _ body: JSONValue? = nil, key: String? = nil
        ) async throws -> (status: Int, body: JSONValue) {
            var request = HTTPRequest(method, "http://127.0.0.1:\(port)\(HostingAPI.prefix)\(path)")
            let key = key ?? self.key
            if !key.isEmpty { request.headers["Authorization"] = "Bearer \(key)" }
            if let body {
                request.headers["Content-Type"] = "application/json"
                request.body = .bytes(body.encoded)
            }
            let response = try await client.send(request)
            return (response.status, response.body.isEmpty ? .null : try JSONParser.parse(response.body))
        }
    }

    private static let order: JSONObject = [
        "supabase_url": "https://hub.example.org", "supabase_service_key": "planted-1729",
    ]

    private func with(_ body: @escaping @Sendable (Door) async throws -> Void) async throws {
        let yard = try await Yard()
        let key = KeyText.make()
        try await yard.store.insertKey(
            key.record(name: "hub", scopes: ["read", "services"], createdAt: yard.clock.time))
        var settings = APISettings(authorityPin: String(repeating: "ab", count: 32))
        settings.port = 0
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let (ports, told) = AsyncStream<Int>.makeStream()
        let other = OtherAPI(list: {
            HostingAPI(operations: $0.operations).list(below: HostingAPI.prefix, authenticator: $0.holders)
        })
        let clock = yard.clock
        let server = try APIServer(
            operations: yard.operations, settings: settings, tls: nil, others: [other], logger: logger,
            now: { clock.time }, onRunning: { _, port in told.yield(port) })
        let group = ServiceGroup(services: [server], logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            for await port in ports {
                do { try await body(Door(yard, port, key.text)) } catch {
                    await group.triggerGracefulShutdown()
                    throw error
                }
                break
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
        await yard.store.close()
    }

    @Test func `a request is accepted with its sites, and the hub is told what became of them`() async throws {
        try await with { door in
            door.yard.hub.add(7, "a.example.org")
            let answer = try await door.ask("POST", "/process", .object(Self.order))
            #expect(answer.status == 202 && answer.body["status"] == "accepted")
            let site = try #require(answer.body["sites"]?.asArray?.first)
            #expect(site["id"] == 7 && site["domain"] == "a.example.org")
            #expect(site["operation"]?.asString?.hasPrefix("op_") == true)
            try await door.yard.work()
            try await door.yard.tell()
            #expect(door.yard.hub.row(7)["status_hosting"] == "active")
            let none = try await door.ask("POST", "/process/", .object(Self.order))
            #expect(none.status == 202 && none.body["sites"] == [])
        }
    }

    @Test func `one site is asked for by a number or a name`() async throws {
        try await with { door in
            for id in 1...2 { door.yard.hub.add(.integer(Int64(id)), .string("s\(id).example.org")) }
            for id in [JSONValue.integer(2), "2"] {
                let answer = try await door.ask("POST", "/process", .object(Self.order.merged(with: ["site_id": id])))
                #expect(answer.body["sites"]?.asArray?.map { $0["id"] } == [2])
            }
            #expect(try await door.yard.services.count == 1)
        }
    }

    @Test func `what cannot be is refused by its field, and no secret comes back`() async throws {
        try await with { door in
            for (more, field) in [
                (["supabase_url": "http://hub.example.org"], "supabase_url"), (["supabase_url": "hub"], "supabase_url"),
                (["supabase_url": 7], "supabase_url"), (["supabase_service_key": ""], "supabase_service_key"),
                (["site_id": ""], "site_id"), (["site_id": ["a"]], "site_id"),
                (["matomo_url": "https://m.example.org"], "matomo_token"),
                (["matomo_token": "planted-1730"], "matomo_url"),
                (["matomo_url": "file:///etc/passwd", "matomo_token": "planted-1730"], "matomo_url"),
                (["siteid": "7"], "siteid"),
            ] as [(JSONObject, String)] {
                let answer = try await door.ask("POST", "/process", .object(Self.order.merged(with: more)))
                #expect(answer.status == 422, "\(field)")
                let detail = answer.body["detail"]?.asString ?? ""
                #expect(detail.contains(field) && !detail.contains("planted"), "\(detail)")
            }
            #expect(try await door.ask("POST", "/process").status == 400)
            #expect(try await door.ask("POST", "/process", .object(Self.order), key: "").status == 401)
            let nobody = try await door.ask("GET", "/nothing")
            #expect(nobody.status == 404 && nobody.body["detail"] != nil)
            #expect(door.yard.hub.calls.isEmpty)
        }
    }

    @Test func `a database that does not answer is said so, and may be asked again`() async throws {
        try await with { door in
            door.yard.hub.change { $0.isDown = true }
            let silent = try await door.ask("POST", "/process", .object(Self.order))
            #expect(silent.status == 503 && silent.body["detail"]?.asString?.contains("no answer") == true)
            door.yard.hub.change { $0.isDown = false }
            let empty = try await door.ask("POST", "/process", .object(Self.order))
            #expect(empty.status == 409 && empty.body["detail"] == "there is no table sites")
        }
    }

    @Test func `its health and what it is need no key`() async throws {
        try await with { door in
            let health = try await door.ask("GET", "/health", key: "")
            #expect(health.status == 200 && health.body["status"] == "healthy")
            let root = try await door.ask("GET", "/", key: "")
            #expect(root.status == 200 && root.body["status"] == "running")
        }
    }
}
