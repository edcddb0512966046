import Model
import Store
import Testing
import WireProtocol

@testable import ControllerCore

@Suite struct OperationsTests {
    @Test func `a request that is refused half-way has written nothing`() async throws {
        try await Stage.with { stage in
            let before = try await stage.store.auditLog().items.count
            await #expect(throws: CoreError.conflict("after all")) {
                try await stage.operations.record { store throws(StoreError) -> Result<Void, CoreError> in
                    _ = try store.putPlan("half", spec: ["image": "x"], at: stage.clock.port.now())
                    try store.audit("plan.create", "half", by: Stage.by, at: stage.clock.port.now())
                    return .failure(.conflict("after all"))
                }
            }
            #expect(try await stage.store.plan("half") == nil)
            #expect(try await stage.store.auditLog().items.count == before)
        }
    }

    @Test func `the same external id and order is the same service, another order is a conflict`() async throws {
        try await Stage.with { stage in
            let request = ServiceRequest(
                externalID: "o-1", customer: "c", plan: "small", overrides: ["cpu_millis": 200])
            let first = try await stage.operations.createService(request, by: Stage.by)
            #expect(first.created)
            let again = try await stage.operations.createService(request, by: Stage.by)
            #expect(!again.created && again.service.id == first.service.id && again.operation.id == first.operation.id)
            try await stage.finish(first.operation.id)
            #expect(try await stage.operations.createService(request, by: Stage.by).operation.id == first.operation.id)
            var other = request
            other.overrides = ["cpu_millis": 300]
            await #expect(throws: CoreError.self) { try await stage.operations.createService(other, by: Stage.by) }
            #expect(stage.node.belongings.containers.count == 1)
        }
    }

    @Test func `a request that comes again under its key is the operation that it made, not another`() async throws {
        try await Stage.with { stage in
            func by(_ key: String) -> Requester { Requester(name: "billing", idempotencyKey: key) }
            let request = ServiceRequest(customer: "c", plan: "small")
            let made = try await stage.operations.createService(request, by: by("a"))
            let again = try await stage.operations.createService(request, by: by("a"))
            #expect(!again.created && again.operation.id == made.operation.id)
            #expect(try await stage.operations.createService(request, by: by("b")).service.id != made.service.id)
            try await stage.finish(made.operation.id)
            let id = made.service.id
            let orders: [@Sendable (Requester) async throws -> ServiceOperation] = [
                { try await stage.operations.suspend(id, by: $0) }, { try await stage.operations.resume(id, by: $0) },
                { try await stage.operations.upgrade(id, UpgradeRequest(plan: "large"), by: $0) },
                { try await stage.operations.repair(id, by: $0) }, { try await stage.operations.terminate(id, by: $0) },
            ]
            for (number, order) in orders.enumerated() {
                let first = try await order(by("\(number)"))
                #expect(try await order(by("\(number)")).operation.id == first.operation.id)
                try await stage.finish(first.operation.id)
                let late = try await order(by("\(number)"))
                #expect(!late.created && late.operation.id == first.operation.id)
            }
        }
    }

    @Test func `of many equal requests at once only one makes a service`() async throws {
        try await Stage.with { stage in
            let ids = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<20 {
                    group.addTask { try await stage.create("o-1").service.id }
                }
                return try await group.reduce(into: Set<String>()) { $0.insert($1) }
            }
            #expect(ids.count == 1)
            #expect(try await stage.store.services().items.count == 1)
            #expect(try await stage.store.unfinishedOperations().count == 1)
        }
    }

    @Test func `a wrong request names the field and records nothing`() async throws {
        try await Stage.with { stage in
            let cases: [(ServiceRequest, String)] = [
                (ServiceRequest(externalID: "a b", customer: "c", plan: "small"), "external_id"),
                (ServiceRequest(customer: "", plan: "small"), "customer"),
                (ServiceRequest(customer: "c", plan: "none"), "plan"),
                (ServiceRequest(customer: "c", plan: "UPPER"), "plan"),
                (ServiceRequest(customer: "c", plan: "small", labels: ["-": "x"]), "labels.-"),
                (ServiceRequest(customer: "c", plan: "small", overrides: ["image": "x"]), "overrides.image"),
                (
                    ServiceRequest(customer: "c", plan: "small", overrides: ["memory_bytes": 1]),
                    "overrides.memory_bytes"
                ),
                (ServiceRequest(customer: "c", plan: "small", overrides: ["env": ["1X": "y"]]), "overrides.env.1X"),
            ]
            for (request, field) in cases {
                do {
                    _ = try await stage.operations.createService(request, by: Stage.by)
                    Issue.record("\(field) was taken")
                } catch CoreError.invalid(let named, let problem) {
                    #expect(named == field)
                    #expect(!problem.isEmpty)
                }
            }
            #expect(try await stage.store.services().items.isEmpty)
        }
    }

    @Test func `an order is checked against the state that the queue leads to`() async throws {
        try await Stage.with { stage in
            let made = try await stage.create()
            let id = made.service.id
            await #expect(throws: CoreError.self) { try await stage.operations.resume(id, by: Stage.by) }
            let suspension = try await stage.operations.suspend(id, by: Stage.by)
            _ = try await stage.operations.resume(id, by: Stage.by)
            #expect(suspension.operation.position == 2)
            await #expect(throws: CoreError.self) { try await stage.operations.resume(id, by: Stage.by) }
        }
    }

    @Test func `an order whose turn comes in the wrong state fails and changes nothing`() async throws {
        try await Stage.with { stage in
            let made = try await stage.create()
            let suspension = try await stage.operations.suspend(made.service.id, by: Stage.by)
            stage.node.change { $0.everywhere = [.refused] }
            #expect(try await stage.finish(made.operation.id).state == .failed)
            stage.node.change { $0.everywhere = [] }
            let outcome = try await stage.finish(suspension.operation.id)
            #expect(outcome.state == .failed && outcome.error?.code == "not_allowed_in_state")
            #expect(try await stage.service(made.service.id).state == .failed)
            let retried = try await stage.operations.retry(made.service.id, by: Stage.by)
            #expect(try await stage.finish(retried.operation.id).state == .succeeded)
            #expect(try await stage.service(made.service.id).state == .running)
        }
    }

    @Test func `a quota below what is stored is refused before anything is done`() async throws {
        try await Stage.with { stage in
            let service = try await stage.provision()
            stage.node.change { $0.belongings.datasets["tank/innkeeper/\(service.id)"]?.used = 50 * Stage.mebi }
            let before = stage.node.belongings
            let order = try await stage.operations.upgrade(
                service.id, UpgradeRequest(overrides: ["disk_bytes": .integer(40 * Stage.mebi)]), by: Stage.by)
            let outcome = try await stage.finish(order.operation.id)
            #expect(outcome.error?.code == "quota_below_usage")
            #expect(stage.node.belongings == before)
            #expect(try await stage.service(service.id).state == .running)
        }
    }

    @Test func `an upgrade changes amounts and nothing else`() async throws {
        try await Stage.with { stage in
            let service = try await stage.provision()
            var other = Stage.plan()
            other["image"] = "shop:2"
            _ = try await stage.operations.createPlan(name: "other", spec: other, by: Stage.by)
            for request in [
                UpgradeRequest(), UpgradeRequest(plan: "other"), UpgradeRequest(overrides: ["env": ["A": "b"]]),
            ] {
                await #expect(throws: CoreError.self) {
                    try await stage.operations.upgrade(service.id, request, by: Stage.by)
                }
            }
        }
    }

    @Test func `a service that no node can take fails with the reasons`() async throws {
        try await Stage.with { stage in
            _ = try await stage.operations.cordon("nod_1", by: Stage.by)
            let made = try await stage.create()
            let outcome = try await stage.finish(made.operation.id)
            #expect(outcome.error?.code == "no_room")
            #expect(outcome.error?.message.contains("1 node (node-1): cordoned") == true)
            _ = try await stage.operations.uncordon("nod_1", by: Stage.by)
            let retried = try await stage.operations.retry(made.service.id, by: Stage.by)
            #expect(try await stage.finish(retried.operation.id).state == .succeeded)
        }
    }

    @Test func `what is reserved is not promised twice`() async throws {
        try await Stage.with { stage in
            var big = Stage.plan()
            big["memory_bytes"] = .integer(700 * Stage.mebi)
            _ = try await stage.operations.createPlan(name: "big", spec: big, by: Stage.by)
            let first = try await stage.create("o-1", plan: "big")
            let second = try await stage.create("o-2", plan: "big")
            #expect(try await stage.finish(first.operation.id).state == .succeeded)
            #expect(try await stage.finish(second.operation.id).error?.code == "no_room")
            let end = try await stage.operations.terminate(first.service.id, by: Stage.by)
            try await stage.finish(end.operation.id)
            let retried = try await stage.operations.retry(second.service.id, by: Stage.by)
            #expect(try await stage.finish(retried.operation.id).state == .succeeded)
        }
    }

    @Test func `a plan has revisions, and services keep the one they were made with`() async throws {
        try await Stage.with { stage in
            let service = try await stage.provision()
            let same = try await stage.operations.putPlan(name: "small", by: Stage.by) { _ in Stage.plan() }
            #expect(same.revision == 1)
            let next = try await stage.operations.putPlan(name: "small", by: Stage.by) { _ in Stage.plan(memory: 80) }
            #expect(next.revision == 2)
            #expect(try await stage.service(service.id).planRevision == 1)
            _ = try await stage.operations.retirePlan(name: "small", by: Stage.by)
            await #expect(throws: CoreError.self) { try await stage.create("o-2") }
            await #expect(throws: CoreError.self) {
                try await stage.operations.createPlan(name: "small", spec: Stage.plan(), by: Stage.by)
            }
        }
    }

    @Test func `a node is removed only when it is revoked and empty`() async throws {
        try await Stage.with { stage in
            let service = try await stage.provision()
            await #expect(throws: CoreError.self) { try await stage.operations.removeNode("nod_1", by: Stage.by) }
            let end = try await stage.operations.terminate(service.id, by: Stage.by)
            try await stage.finish(end.operation.id)
            _ = try await stage.operations.revoke("nod_1", reason: "sold", by: Stage.by)
            try await stage.operations.removeNode("nod_1", by: Stage.by)
            #expect(try await stage.store.node("nod_1") == nil)
            await #expect(throws: CoreError.notFound(kind: "node", id: "nod_1")) {
                try await stage.operations.cordon("nod_1", by: Stage.by)
            }
        }
    }

    @Test func `a service on a revoked node can be struck off the books, another cannot`() async throws {
        try await Stage.with { stage in
            let service = try await stage.provision()
            await #expect(throws: CoreError.self) { try await stage.operations.abandon(service.id, by: Stage.by) }
            _ = try await stage.operations.revoke("nod_1", reason: "burnt", by: Stage.by)
            let before = stage.node.belongings
            #expect(try await stage.operations.abandon(service.id, by: Stage.by).state == .terminated)
            #expect(try await stage.books(service.id).names.isEmpty)
            #expect(stage.node.belongings == before)
            try await stage.operations.removeNode("nod_1", by: Stage.by)
        }
    }

    @Test func `every change is in the audit log with who asked for it`() async throws {
        try await Stage.with { stage in
            let by = Requester(name: "key_7", remote: "192.0.2.1")
            _ = try await stage.operations.cordon("nod_1", by: by)
            _ = try await stage.operations.cordon("nod_1", by: by)
            let log = try await stage.store.auditLog(actors: ["key_7"]).items
            #expect(log.map(\.action) == ["node.cordon"])
            #expect(log.first?.remote == "192.0.2.1")
        }
    }
}
