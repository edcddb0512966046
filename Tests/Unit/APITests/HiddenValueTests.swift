import APIModels
import HTTPTypes
import Store
import Testing
import WireProtocol

@testable import API
@testable import HTTP

/// Variables of containers go in and never come out.
@Suite struct HiddenValueTests {
    private let spec =
        #""image":"i","memory_bytes":67108864,"cpu_millis":100,"disk_bytes":67108864,"env":{"A":"hunter2-value"}"#

    @Test func `no answer shows a value, and sending an answer back keeps it`() async throws {
        let house = try await House()
        let made = try await house.ask(.post, "/api/v1/plans", #"{"name":"p","spec":{\#(spec)}}"#, idempotency: "k1")
        #expect(made.status == 201)
        let again = try await house.ask(.post, "/api/v1/plans", #"{"name":"p","spec":{\#(spec)}}"#, idempotency: "k1")
        let read = try await house.ask(.get, "/api/v1/plans/p")
        let list = try await house.ask(.get, "/api/v1/plans")
        let order = #"{"customer":"c","plan":"p","external_id":"e1","overrides":{"env":{"B":"hunter2-other"}}}"#
        let ordered = try await house.ask(.post, "/api/v1/services", order)
        let service = try await house.ask(.get, "/api/v1/services/e1")
        for reply in [made, again, read, list, ordered, service] {
            let text = String(decoding: reply.body, as: UTF8.self)
            #expect(!text.contains("hunter2") && text.contains(#"********"#), "\(text)")
        }
        var plan = try BodyDecoder.model(Plan.self, from: JSONParser.parse(read.body))
        var fields = try #require(plan.spec.asObject)
        fields["cpu_millis"] = 150
        fields["env"] = ["A": .string(HiddenValue.text), "C": "new-value"]
        plan.spec = .object(fields)
        let body = JSONValue.object(["product": "container", "spec": plan.spec]).text
        #expect(try await house.ask(.put, "/api/v1/plans/p", body).status == 200)
        let stored = try await house.store.plan("p")
        #expect(stored?.revision == 2)
        #expect(stored?.spec["env"] == ["A": "hunter2-value", "C": "new-value"])
    }

    @Test(arguments: [
        ("POST", "/api/v1/plans", #"{"name":"q","spec":{SPEC}}"#, "spec.env.A"),
        ("PUT", "/api/v1/plans/q", #"{"spec":{SPEC}}"#, "spec.env.A"),
        // As version 0.1.0 wanted them.
        ("PUT", "/api/v1/plans/q", "{SPEC}", "env.A"),
        (
            "POST", "/api/v1/services", #"{"customer":"c","plan":"p","overrides":{"env":{"A":"********"}}}"#,
            "overrides.env.A"
        ),
    ])
    func `a hidden value that stands for nothing is refused`(
        method: String, path: String, body: String, field: String
    ) async throws {
        let house = try await House()
        let hidden =
            #""image":"i","memory_bytes":67108864,"cpu_millis":100,"disk_bytes":67108864,"env":{"A":"********"}"#
        let text = body.split(separator: "SPEC", omittingEmptySubsequences: false).joined(separator: hidden)
        let reply = try await house.ask(method == "PUT" ? .put : .post, path, text)
        #expect(reply.status == 400)
        #expect(try reply.problem.field == field)
    }
}
