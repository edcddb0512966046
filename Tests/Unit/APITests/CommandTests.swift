import APIModels
import ControllerCore
import HTTPTypes
import HummingbirdCore
import Model
import Store
import Testing
import WireProtocol

@testable import API
@testable import HTTP

@Suite struct `Commands to nodes` {
    private static let catalogue: JSONValue = [
        [
            "driver": "docker", "version": "1",
            "operations": [
                [
                    "name": "container.exec", "kind": "mutate", "summary": "runs a command", "deadline_ms": 300_000,
                    "guarded": true, "allowed": false,
                ]
            ],
        ]
    ]

    private func house() async throws -> House {
        let house = try await House()
        try await house.addNode()
        try await house.store.recordHello(
            NodeHello(
                node: "nod_1", agentVersion: "1", facts: [:], boot: "b", cpuMillis: 1, memoryBytes: 1, diskBytes: 0,
                catalogue: Self.catalogue), at: house.clock.time)
        return house
    }

    private static let exec =
        #"{"operation":"docker.container.exec","resource":"docker/web","arguments":{"command":["true"]},"#
        + #""secrets":{"env":{"PASSWORD":"hunter2"}}}"#

    @Test func `what a node can do is listed with kind, time and what its policy says`() async throws {
        let house = try await house()
        let offers = try await house.ask(.get, "/api/v1/nodes/alpha/actions", key: house.key("read"))
            .model(Listing<ActionOffer>.self).items
        #expect(
            offers == [
                ActionOffer(
                    driver: "docker", name: "docker.container.exec", kind: "mutate", summary: "runs a command",
                    deadlineSeconds: 300, guarded: true, allowed: false)
            ])
    }

    @Test func `an order is answered with an operation, and never shows its secrets`() async throws {
        let house = try await house()
        let key = try await house.key("commands")
        let path = "/api/v1/nodes/alpha/commands"
        let reply = try await house.ask(.post, path, Self.exec, key: key, idempotency: "k1")
        #expect(reply.status == 202)
        let accepted = try reply.model(AcceptedOperation.self).operation
        #expect(reply.response.headers[.location] == "/api/v1/operations/\(accepted.id)")
        #expect(accepted.kind == "command" && accepted.state == "queued" && accepted.node == "nod_1")
        #expect(
            accepted.command
                == CommandView(name: "docker.container.exec", resource: "docker/web", deadlineSeconds: 300))
        let again = try await house.ask(.post, path, Self.exec, key: key, idempotency: "k1")
        #expect(try again.model(AcceptedOperation.self).operation.id == accepted.id)
        for place in ["/api/v1/operations", "/api/v1/operations/\(accepted.id)", "/api/v1/audit"] {
            let text = try await house.ask(.get, place).text
            #expect(!text.contains("hunter2"), "\(place)")
        }
    }

    @Test(arguments: ["read", "services", "nodes", "plans"])
    func `no other scope may run, call off or read the result of a command`(scope: String) async throws {
        let house = try await house()
        let key = try await house.key(scope)
        #expect(try await house.ask(.post, "/api/v1/nodes/alpha/commands", Self.exec, key: key).status == 403)
        let made = try await house.ask(.post, "/api/v1/nodes/alpha/commands", Self.exec).model(AcceptedOperation.self)
        let path = "/api/v1/operations/\(made.operation.id)"
        try await house.store.updateOperation(made.operation.id) {
            $0.result = ["status": "succeeded", "observed": ["text": "private"]]
        }
        let (hidden, shown) = (
            try await house.ask(.get, path, key: key).text,
            try await house.ask(.get, path, key: house.key("commands")).text
        )
        #expect(!hidden.contains("private") && shown.contains("private"))
        #expect(try await house.ask(.post, path + "/cancel", key: key).status == 403)
        let cancelled = try await house.ask(.post, path + "/cancel", key: house.key("commands"))
        #expect(try cancelled.model(APIModels.Operation.self).state == "cancelled")
    }

    @Test(arguments: [
        (#"{"operation":"docker.container.fly"}"#, "operation"), (#"{"operation":"nothing"}"#, "operation"),
        (#"{"operation":"docker.container.exec","deadline_seconds":0}"#, "deadline_seconds"),
        (#"{"operation":"docker.container.exec","deadline_seconds":86401}"#, "deadline_seconds"),
        (#"{"operation":"docker.container.exec","resource":""}"#, "resource"),
        (#"{"operation":"docker.container.exec","arguments":[]}"#, "arguments"),
        (#"{"operation":"docker.container.exec","secrets":"x"}"#, "secrets"),
    ])
    func `a wrong order names its field`(body: String, field: String) async throws {
        let reply = try await house().ask(.post, "/api/v1/nodes/alpha/commands", body)
        #expect(reply.status == 400 || reply.status == 422)
        #expect(try reply.problem.field == field)
    }

    private static let told: JSONValue = [
        [
            "driver": "cloudpanel", "version": "1",
            "operations": [
                [
                    "name": "user.password", "kind": "mutate", "summary": "sets it", "deadline_ms": 60_000,
                    "guarded": false, "allowed": true,
                    "arguments": ["type": "object", "properties": ["user": ["type": "string"]], "required": ["user"]],
                    "secrets": ["type": "object", "properties": ["password": ["type": "string"]]],
                ]
            ],
        ]
    ]

    @Test func `a node that says what an action takes has it shown, and nothing else is stored`() async throws {
        let house = try await House()
        try await house.addNode()
        try await house.store.recordHello(
            NodeHello(
                node: "nod_1", agentVersion: "1", facts: [:], boot: "b", cpuMillis: 1, memoryBytes: 1, diskBytes: 0,
                catalogue: Self.told), at: house.clock.time)
        let offer = try await house.ask(.get, "/api/v1/nodes/alpha/actions").model(Listing<ActionOffer>.self).items
            .first
        #expect(offer?.arguments?["required"] == ["user"])
        #expect(offer?.secrets?["properties"]?["password"]?["type"] == "string")
        let order = #"{"operation":"cloudpanel.user.password","resource":"cloudpanel/user/ann","#
        for (rest, field) in [
            (#""arguments":{"user":"ann","password":"hunter2"}}"#, "arguments.password"),
            (#""arguments":{"user":"ann","pasword":"hunter2"}}"#, "arguments.pasword"),
            (#""arguments":{"user":"ann"},"secrets":{"pin":"hunter2"}}"#, "secrets.pin"),
        ] {
            let reply = try await house.ask(.post, "/api/v1/nodes/alpha/commands", order + rest)
            #expect(reply.status == 400 && !reply.text.contains("hunter2"))
            #expect(try reply.problem.field == field)
        }
        #expect(try await house.ask(.get, "/api/v1/operations").json["items"] == [])
        let right = #""arguments":{"user":"ann"},"secrets":{"password":"hunter2"}}"#
        #expect(try await house.ask(.post, "/api/v1/nodes/alpha/commands", order + right).status == 202)
    }

    @Test func `a revoked node and an unknown one take nothing`() async throws {
        let house = try await house()
        #expect(try await house.ask(.post, "/api/v1/nodes/beta/commands", Self.exec).status == 404)
        _ = try await house.ask(.post, "/api/v1/nodes/alpha/revoke")
        #expect(try await house.ask(.post, "/api/v1/nodes/alpha/commands", Self.exec).status == 409)
    }
}
