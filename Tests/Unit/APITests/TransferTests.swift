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

@Suite struct `Transfers between nodes` {
    private static func catalogue(_ driver: String) -> JSONValue {
        [["driver": .string(driver), "version": "1", "operations": []]]
    }

    private func house(_ second: String = "zfs") async throws -> House {
        let house = try await House()
        try await house.addNode()
        try await house.addNode("nod_2", name: "beta")
        for (node, driver) in [("nod_1", "zfs"), ("nod_2", second)] {
            try await house.store.recordHello(
                NodeHello(
                    node: node, agentVersion: "1", facts: [:], boot: "b", cpuMillis: 1, memoryBytes: 1, diskBytes: 0,
                    catalogue: Self.catalogue(driver)), at: house.clock.time)
        }
        return house
    }

    private static let path = "/api/v1/transfers"

    private static func order(_ target: String = "beta", _ more: String = "") -> String {
        #"{"source":{"node":"alpha","dataset":"tank/a","snapshot":"one","from_snapshot":"zero"},"#
            + #""target":{"node":"\#(target)","dataset":"tank/b","overwrite":true}\#(more)}"#
    }

    @Test func `an order is answered with an operation, once for one key, and stands in the audit log of both nodes`()
        async throws
    {
        let house = try await house()
        let key = try await house.key("commands")
        let reply = try await house.ask(.post, Self.path, Self.order(), key: key, idempotency: "k1")
        #expect(reply.status == 202)
        let operation = try reply.model(AcceptedOperation.self).operation
        #expect(operation.kind == "transfer" && operation.state == "queued" && operation.node == "nod_2")
        let again = try await house.ask(.post, Self.path, Self.order(), key: key, idempotency: "k1")
        #expect(try again.model(AcceptedOperation.self).operation.id == operation.id)
        let transfer = try Transfer(try #require(try await house.store.operation(operation.id)))
        #expect(
            transfer.sender.arguments["from_snapshot"] == "zero" && transfer.receiver.arguments["overwrite"] == true)
        for node in ["nod_1", "nod_2"] {
            #expect(try await house.ask(.get, "/api/v1/audit?subject=\(node)").text.contains("node.transfer"))
        }
    }

    @Test(arguments: ["read", "services", "nodes", "plans"])
    func `no other scope may order or call off one`(scope: String) async throws {
        let house = try await house()
        let key = try await house.key(scope)
        #expect(try await house.ask(.post, Self.path, Self.order(), key: key).status == 403)
        let made = try await house.ask(.post, Self.path, Self.order()).model(AcceptedOperation.self).operation.id
        #expect(try await house.ask(.post, "/api/v1/operations/\(made)/cancel", key: key).status == 403)
        let cancelled = try await house.ask(
            .post, "/api/v1/operations/\(made)/cancel", key: house.key("commands"))
        #expect(try cancelled.model(APIModels.Operation.self).state == "cancelled")
    }

    @Test func `a wrong order names its field, and a node without ZFS takes none`() async throws {
        let house = try await house()
        let nowhere = try await house.ask(.post, Self.path, Self.order("gamma"))
        #expect(try nowhere.status == 400 && nowhere.problem.field == "target.node")
        let long = try await house.ask(.post, Self.path, Self.order("beta", #","deadline_seconds":86401"#))
        #expect(try long.problem.field == "deadline_seconds")
        #expect(try await house.ask(.post, Self.path, #"{"source":{}}"#).status == 400)
        let without = try await self.house("docker").ask(.post, Self.path, Self.order())
        #expect(without.status == 409 && without.text.contains("neither send nor receive"))
    }

    @Test func `the size of a terminal has bounds`() async throws {
        let house = try await house()
        let made = try await house.ask(
            .post, "/api/v1/nodes/alpha/commands", #"{"operation":"zfs.x"}"#)
        #expect(made.status == 400)
        let transfer = try await house.ask(.post, Self.path, Self.order()).model(AcceptedOperation.self).operation.id
        for (body, field) in [
            (#"{"offset":0,"rows":0,"columns":80}"#, "rows"), (#"{"offset":0,"rows":24}"#, "columns"),
            (#"{"offset":0,"rows":24,"columns":10001}"#, "columns"),
        ] {
            let reply = try await house.ask(.post, "/api/v1/operations/\(transfer)/input", body)
            #expect(try reply.status == 400 && reply.problem.field == field)
        }
        let none = try await house.ask(
            .post, "/api/v1/operations/\(transfer)/input", #"{"offset":0,"rows":24,"columns":80}"#)
        #expect(none.status == 404, "a transfer has no terminal")
    }
}
