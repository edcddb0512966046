import Model
import Placement
import Saga
import Store
import Testing
import WireProtocol

@testable import ContainerProduct
@testable import ControllerCore

@Suite struct ExplanationTests {
    @Test func `the end of a provisioning keeps the word on every node`() async throws {
        try await Stage.with { stage in
            try await stage.addNode("nod_2")
            _ = try await stage.operations.cordon("nod_2", by: Stage.by)
            let made = try await stage.create()
            let ended = try await stage.finish(made.operation.id)
            #expect(ended.state == .succeeded)
            let placement = try #require(ended.result?["placement"])
            #expect(placement["node"] == "nod_1" && placement["pool"] == "tank" && placement["left_out"] == nil)
            let words = try #require(placement["nodes"]?.asArray)
            #expect(words.map { $0["verdict"] } == ["chosen", "excluded"])
            #expect(words[1]["explanation"]?.asString?.contains("cordoned") == true)
        }
    }

    @Test func `a provisioning without room keeps the word on every node too`() async throws {
        try await Stage.with { stage in
            _ = try await stage.operations.cordon("nod_1", by: Stage.by)
            let made = try await stage.create()
            let ended = try await stage.finish(made.operation.id)
            #expect(ended.state == .failed && ended.error?.code == "no_room")
            #expect(ended.result?["placement"]?["node"] == nil)
            #expect(ended.result?["placement"]?["nodes"]?.asArray?.count == 1)
        }
    }

    @Test func `what needs a network of Docker is placed where the inventory has it, or nobody tells of any`()
        async throws
    {
        try await Stage.with { stage in
            try await stage.addNode("nod_2")
            let spec = Stage.plan().merged(with: ["network": "web"])
            _ = try await stage.operations.createPlan(name: "web", spec: spec, by: Stage.by)
            let request = ServiceRequest(externalID: "order-1", customer: "cus-1", plan: "web")
            func tell(_ node: String, _ networks: [String], _ generation: Int64) async throws {
                try await stage.store.recordInventory(
                    InventoryReport(
                        node: node, driver: "docker", generation: generation, isFull: true,
                        items: networks.map { (resource: "docker/network/\($0)", state: [:]) }),
                    at: stage.clock.port.now())
            }
            #expect(try await stage.operations.explainPlacement(request).choice != nil)
            try await tell("nod_1", ["none", "bridge", "web"], 1)
            try await tell("nod_2", ["none", "bridge"], 1)
            let result = try await stage.operations.explainPlacement(request)
            #expect(result.choice?.node == "nod_1")
            #expect(result.explanation.contains { $0.contains("it has no Docker network web") })
            try await tell("nod_1", ["none"], 2)
            let made = try await stage.operations.createService(request, by: Stage.by)
            let ended = try await stage.finish(made.operation.id)
            #expect(ended.state == .failed && ended.error?.code == "no_room")
            #expect(ended.error?.message.contains("no Docker network web") == true)
        }
    }

    @Test func `of a large fleet the best are told and the others counted`() throws {
        let candidates = (0..<150).map { index in
            Candidate(
                id: "nod_\(index)", name: "node-\(index)", connected: true, schedulable: index != 0,
                drivers: ["docker"], cpuMillis: 1000, memoryBytes: 1 << 30,
                pools: [PoolRoom(name: "tank", sizeBytes: 1 << 30, freeBytes: 1 << 30, reservedBytes: 0)],
                load: index == 149 ? 0 : 0.5)
        }
        let demand = Demand(
            resources: Resources(cpuMillis: 1, memoryBytes: 1, diskBytes: 1), drivers: ["docker"])
        let result = Scheduler().place(demand, on: candidates)
        let json = result.json(limit: PlacementResult.keptWords)
        let words = try #require(json["nodes"]?.asArray)
        #expect(json["node"] == "nod_149" && words.count == 100 && json["left_out"] == 50)
        #expect(words.first?["name"] == "node-149" && words.first?["verdict"] == "chosen")
        #expect(words.dropFirst().allSatisfy { $0["verdict"] == "outscored" })
        #expect(result.json()["nodes"]?.asArray?.count == 150)
        #expect(result.json()["nodes"]?.asArray?.last?["verdict"] == "excluded")
    }

    @Test(arguments: Container.product.verbs.map(\.verb.name))
    func `the outline of a kind is the table of its saga`(kind: String) throws {
        let kind = try #require(Container.product.verb(kind))
        #expect(kind.outline.map(\.name) == kind.tables[0].steps.map(\.name))
        #expect(kind.outline.contains(where: \.isAuxiliary) == (kind.verb == .provision))
        #expect(kind.outline.first?.name == "place")
    }

    @Test func `why somebody wants a change stands in the operation and in the audit log`() async throws {
        try await Stage.with { stage in
            let service = try await stage.provision()
            let suspended = try await stage.operations.suspend(service.id, reason: "unpaid", by: Stage.by)
            #expect(suspended.operation.parameters["reason"] == "unpaid")
            try await stage.finish(suspended.operation.id)
            #expect(try await stage.outcome(suspended.operation.id).parameters["reason"] == "unpaid")
            let ended = try await stage.operations.terminate(service.id, reason: "gone", by: Stage.by)
            #expect(ended.operation.parameters["reason"] == "gone")
            let rows = try await stage.store.auditLog().items
            for (action, reason) in [("service.suspend", "unpaid"), ("service.terminate", "gone")] {
                #expect(rows.first { $0.action == action }?.detail["reason"]?.asString == reason)
            }
            #expect(rows.first { $0.action == "service.provision" }?.detail["reason"] == nil)
        }
    }

    @Test func `what must be looked after is looked after`() async throws {
        try await Stage.with { stage in
            let kept = Reconciliation(dependencies: stage.dependencies, operations: stage.operations).reconcilers
            #expect(kept.contains { $0 is RecordUpkeep } && kept.contains { $0 is MetricUpkeep })
            #expect(Set(kept.map(\.name)).count == kept.count)
        }
    }
}
