import Model
import Store
import Synchronization
import Testing
import WireProtocol

@testable import ContainerProduct
@testable import ControllerCore

/// Containers of services publish ports: which ones of the node they are is allocated.
@Suite struct PublishedPortTests {
    private static func plan(_ ports: JSONValue, network: String = "bridge") -> JSONObject {
        Stage.plan().merged(with: ["ports": ports, "network": .string(network)])
    }

    @Test func `each service gets ports of the node for itself, and gives them back`() async throws {
        try await Stage.with { stage in
            let ports: JSONValue = [
                ["container": 80, "address": "192.0.2.7"], ["container": 53, "protocol": "udp"],
            ]
            _ = try await stage.operations.createPlan(name: "web", spec: Self.plan(ports), by: Stage.by)
            var published: [JSONValue] = []
            for _ in 1...2 {
                let made = try await stage.operations.createService(
                    ServiceRequest(customer: "c", plan: "web"), by: Stage.by)
                #expect(try await stage.finish(made.operation.id).state == .succeeded)
                let service = try await stage.service(made.service.id)
                published.append(service.address["ports"] ?? nil)
            }
            #expect(published == [["53/udp": 20001, "80/tcp": 20000], ["53/udp": 20003, "80/tcp": 20002]])
            let orders = stage.node.state.withLock { $0.bodies.values.compactMap { $0["ports"] } }
            #expect(
                orders.contains([
                    ["container": 80, "host": 20000, "protocol": "tcp", "host_ip": "192.0.2.7"],
                    ["container": 53, "host": 20001, "protocol": "udp"],
                ]))
            let first = try #require(try await stage.store.services(page: PageRequest(limit: 1)).items.first)
            let end = try await stage.operations.terminate(first.id, by: Stage.by)
            #expect(try await stage.finish(end.operation.id).state == .succeeded)
            #expect(try await stage.store.allocations(service: first.id).isEmpty)
        }
    }

    @Test(
        arguments: [
            ([["container": 0]], "bridge", "spec.ports[0].container"),
            ([["container": 80, "protocol": "icmp"]], "bridge", "spec.ports[0].protocol"),
            ([["container": 80, "address": "node"]], "bridge", "spec.ports[0].address"),
            ([["container": 80], ["container": 80, "protocol": "tcp"]], "bridge", "spec.ports[1]"),
            ([["container": 80]], "none", "spec.ports"), ([["container": 80]], "host", "spec.ports"),
            ("80", "bridge", "spec.ports"),
        ] as [(JSONValue, String, String)])
    func `what cannot be published is refused by name`(ports: JSONValue, network: String, field: String) {
        let error = #expect(throws: CoreError.self) {
            try ContainerSpec(json: Self.plan(ports, network: network))
        }
        guard case .invalid(let named, _)? = error else {
            Issue.record("it is \(error.map { "\($0)" } ?? "fine")")
            return
        }
        #expect(named == field)
    }
}
