import AgentCommands
import Model
import Saga
import Store
import Synchronization
import Testing
import WireProtocol

@testable import ControllerCore

extension Stage {
    /// The agent's report of what the model node has now.
    func reportInventory() async throws {
        let belongings = node.belongings
        let containers = try belongings.containers.keys.map { name -> (resource: String, state: JSONObject) in
            let state = try belongings.observe(name).merged(with: ["id": .string("id-\(name)")])
            return (resource: "docker/\(name)", state: state)
        }
        let datasets = belongings.datasets.keys.map { name in
            (resource: "zfs/\(name)", state: belongings.observe(dataset: name))
        }
        for (driver, items) in [("docker", containers), ("zfs", datasets)] {
            try await store.recordInventory(
                InventoryReport(node: "nod_1", driver: driver, generation: 1, isFull: true, items: items),
                at: clock.port.now())
        }
    }

    /// A running service by the books alone.
    func settle(_ id: String, on node: String) async throws {
        let now = clock.port.now()
        try await store.insertService(
            ServiceRecord(
                id: id, customer: "c", plan: "small", spec: Self.plan(), state: .running, node: node,
                createdAt: now - .seconds(7200), updatedAt: now - .seconds(7200)))
        try await store.reserve(
            Reservation(
                service: id, node: node, pool: "tank", cpuMillis: 1, memoryBytes: 1, diskBytes: 1, createdAt: now))
        for (kind, value) in [("dataset", "tank/innkeeper/\(id)"), ("container", id)] {
            _ = try await store.allocate(
                AllocationRequest(kind: kind, scope: node, candidates: [value], node: node, service: id), at: now)
        }
    }

    func letTimePass() { clock.state.withLock { $0.milliseconds += 3_600_000 } }

    func findings(_ kind: String) async throws -> Int {
        try await store.events().items.filter { $0.kind == kind }.count
            + store.findings(FindingFilter(kind: kind)).items.count
    }

    /// What is said to be wrong with the services, as the findings have it.
    func drifts(resolved: Bool = false) async throws -> [String?] {
        try await store.findings(FindingFilter(kind: "service.drift")).items
            .filter { ($0.resolvedAt != nil) == resolved }.map { $0.data["drift"]?.asString }
    }
}

@Suite struct ReconcilerTests {
    @Test(arguments: ["missing", "stopped"])
    func `a container that is not as it should be is reported once, and removed never`(how: String) async throws {
        try await Stage.with { stage in
            let service = try await stage.provision()
            stage.node.change { state in
                if how == "missing" { state.belongings.containers = [:] }
                state.belongings.containers[service.id]?.running = false
            }
            let before = stage.node.belongings
            stage.letTimePass()
            try await stage.reportInventory()
            let drift = ServiceDrift(operations: stage.operations)
            for _ in 1...3 { try await drift.reconcile(stage.dependencies) }
            #expect(try await stage.drifts() == [how])
            #expect(try await stage.store.events().items.isEmpty)
            #expect(try await stage.service(service.id).observed["drift"]?["kind"] == .string(how))
            #expect(stage.node.belongings == before)
            #expect(try await stage.store.unfinishedOperations().isEmpty)
        }
    }

    @Test func `a service that asks for it is repaired, on its own data`() async throws {
        try await Stage.with { stage in
            var plan = Stage.plan()
            plan["repair"] = true
            _ = try await stage.operations.createPlan(name: "kept", spec: plan, by: Stage.by)
            let made = try await stage.create(plan: "kept")
            try await stage.finish(made.operation.id)
            let before = stage.node.belongings
            stage.node.change { $0.belongings.containers = [:] }
            stage.letTimePass()
            try await ServiceDrift(operations: stage.operations).reconcile(stage.dependencies)
            let repair = try #require(try await stage.store.unfinishedOperations().first)
            #expect(repair.kind == "repair" && repair.requestedBy == "reconciler/drift")
            #expect(try await stage.finish(repair.id).state == .succeeded)
            #expect(stage.node.belongings == before)
            #expect(try await stage.service(made.service.id).observed["drift"] == nil)
        }
    }

    @Test func `a lost data set is not replaced by an empty one`() async throws {
        try await Stage.with { stage in
            let service = try await stage.provision()
            stage.node.change { $0.belongings = Belongings() }
            let order = try await stage.operations.repair(service.id, by: Stage.by)
            #expect(try await stage.finish(order.operation.id).state == .failed)
            #expect(stage.node.belongings.datasets.isEmpty && stage.node.belongings.containers.isEmpty)
        }
    }

    @Test func `old news about a container is checked with the node before anybody is alarmed`() async throws {
        try await Stage.with { stage in
            let service = try await stage.provision()
            stage.letTimePass()
            try await ServiceDrift(operations: stage.operations).reconcile(stage.dependencies)
            #expect(try await stage.service(service.id).observed["drift"] == nil)
            #expect(stage.node.log.last == "docker.container.inspect")
            #expect(try await stage.store.events().items.isEmpty)
        }
    }

    @Test func `a suspended service that runs is reported, and the report ends with it`() async throws {
        try await Stage.with { stage in
            let id = try await stage.suspended()
            stage.node.change { $0.belongings.containers[id]?.running = true }
            stage.letTimePass()
            let drift = ServiceDrift(operations: stage.operations)
            try await drift.reconcile(stage.dependencies)
            #expect(try await stage.drifts() == ["running"])
            let told = try await stage.store.findings(FindingFilter(kind: "service.drift", withResolved: false)).items
            #expect(told.map(\.summary.isEmpty) == [false] && told.first?.subject.hasPrefix("service/") == true)
            stage.node.change { $0.belongings.containers[id]?.running = false }
            stage.letTimePass()
            try await drift.reconcile(stage.dependencies)
            #expect(try await stage.drifts().isEmpty)
            #expect(try await stage.drifts(resolved: true) == ["running"])
            #expect(try await stage.service(id).observed["drift"] == nil)
        }
    }

    @Test func `a container of an unknown service is reported once and left alone`() async throws {
        try await Stage.with { stage in
            stage.node.change {
                $0.belongings.containers["ghost"] = .init(
                    image: "x", memory: 1, cpu: 1, running: true, service: "svc_gone", mount: "/x")
            }
            try await stage.reportInventory()
            stage.letTimePass()
            for _ in 1...3 { try await UnknownObjects().reconcile(stage.dependencies) }
            #expect(try await stage.findings("drift.unknown") == 1)
            #expect(stage.node.belongings.containers.count == 1)
        }
    }

    @Test func `a container that came to be after its service was undone is reported`() async throws {
        try await Stage.with { stage in
            let service = try await stage.provision()
            try await stage.store.updateService(service.id, at: stage.clock.port.now()) {
                ($0.state, $0.node) = (.failed, nil)
            }
            try await stage.reportInventory()
            stage.letTimePass()
            try await UnknownObjects().reconcile(stage.dependencies)
            #expect(try await stage.findings("drift.unknown") == 1)
        }
    }

    @Test func `orphaned allocations are released, those of living services are not`() async throws {
        try await Stage.with { stage in
            let service = try await stage.provision()
            let now = stage.clock.port.now()
            _ = try await stage.store.allocate(
                AllocationRequest(kind: "port", candidates: ["4000"], service: "svc_never"), at: now)
            for _ in 1...2 { try await OrphanedAllocations().reconcile(stage.dependencies) }
            #expect(try await stage.store.allocations(service: "svc_never").isEmpty)
            #expect(try await stage.store.allocations(service: service.id).count == 2)
        }
    }

    @Test func `a certificate near its end is reported once`() async throws {
        try await Stage.with { stage in
            let now = stage.clock.port.now()
            try await stage.store.insertCertificate(
                CertificateRecord(
                    serial: "01", node: "nod_1", fingerprint: "ff", issuedAt: now, expiresAt: now + .seconds(86_400)))
            for _ in 1...2 { try await ExpiringCertificates().reconcile(stage.dependencies) }
            #expect(try await stage.findings("certificate.expiring") == 1)
        }
    }

    @Test func `an operation that runs for too long is reported once`() async throws {
        try await Stage.with { stage in
            let service = try await stage.provision()
            let order = try await stage.operations.suspend(service.id, by: Stage.by)
            _ = try await stage.store.claimOperation(order.operation.id, at: stage.clock.port.now())
            for _ in 1...3 { stage.letTimePass() }
            for _ in 1...2 { try await StuckOperations().reconcile(stage.dependencies) }
            #expect(try await stage.findings("operation.stuck") == 1)
        }
    }

    @Test func `a node that is away is a finding until it is back`() async throws {
        try await Stage.with { stage in
            try await stage.store.setNodeState("nod_1") { .unreachable }
            try await UnreachableNodes().reconcile(stage.dependencies)
            #expect(try await stage.findings("node.unreachable") == 0, "it may just be starting again")
            for _ in 1...2 {
                stage.letTimePass()
                try await UnreachableNodes().reconcile(stage.dependencies)
            }
            let open = FindingFilter(state: .open, kind: "node.unreachable")
            #expect(try await stage.store.findings(open).items.map(\.node) == ["nod_1"])
            try await stage.store.setNodeState("nod_1") { .connected }
            stage.letTimePass()
            try await UnreachableNodes().reconcile(stage.dependencies)
            #expect(try await stage.store.findings(open).items.isEmpty)
        }
    }

    @Test func `an operation that needs attention is a finding until it is seen to`() async throws {
        try await Stage.with { stage in
            _ = try await stage.store.insertOperation(
                OperationRecord(
                    id: "op_odd", kind: "provision", node: "nod_1", state: .needsAttention,
                    createdAt: stage.clock.port.now()))
            try await UnsettledOperations().reconcile(stage.dependencies)
            let open = FindingFilter(state: .open, kind: "operation.needs_attention")
            let found = try await stage.store.findings(open).items
            #expect(found.map(\.subject) == ["operation/op_odd"] && found[0].summary.contains("needs attention"))
            try await stage.store.updateOperation("op_odd") { $0.state = .resolved }
            stage.letTimePass()
            try await UnsettledOperations().reconcile(stage.dependencies)
            #expect(try await stage.store.findings(open).items.isEmpty)
        }
    }

    @Test func `a transfer of a day is not stuck, until its own time is over`() async throws {
        try await Stage.with { stage in
            let begun = stage.clock.port.now()
            let operation = try await stage.store.insertOperation(
                OperationRecord(id: "op_long", kind: Transfer.kind, node: "nod_1", createdAt: begun))
            _ = try await stage.store.claimOperation(operation.id, at: begun)
            let deadline = begun + .seconds(24 * 3600)
            try await stage.store.appendJournal(
                operation.id, after: 0, [.object(JournalEntry.started(deadline: deadline, context: [:]).json)],
                at: begun)
            for _ in 1...23 { stage.letTimePass() }
            try await StuckOperations().reconcile(stage.dependencies)
            #expect(try await stage.findings("operation.stuck") == 0)
            for _ in 1...2 { stage.letTimePass() }
            try await StuckOperations().reconcile(stage.dependencies)
            #expect(try await stage.findings("operation.stuck") == 1)
        }
    }

    @Test func `nodes are looked at side by side, so that silent ones hold up nobody`() async throws {
        try await Stage.with { stage in
            let service = try await stage.provision()
            stage.node.change { $0.belongings.containers = [:] }
            stage.letTimePass()
            // More silent nodes, each with two services, than there are hands; the one that answers comes last.
            let others = (10..<(10 + Looks.breadth - 1)).map { "nod_0\($0)" }
            for node in others {
                try await stage.addNode(node)
                for number in 1...2 { try await stage.settle("svc_\(node)_\(number)", on: node) }
            }
            let asked = Mutex<[String: Int]>([:])
            var dependencies = stage.dependencies
            let gate = AsyncStream<Void>.makeStream()
            var agents = stage.node.port
            let perform = agents.perform
            agents.connected = { Set(others + ["nod_1"]) }
            agents.perform = { call, node throws(AgentError) in
                asked.withLock { $0[node, default: 0] += 1 }
                if node == "nod_1" {
                    gate.continuation.finish()
                    return try await perform(call, node)
                }
                // Silent until the last one was asked: one after the other this would never end.
                for await _ in gate.stream {}
                throw AgentError(retryable: true, code: "unreachable", message: "away")
            }
            dependencies.agents = agents
            try await ServiceDrift(operations: stage.operations).reconcile(dependencies)
            #expect(try await stage.service(service.id).observed["drift"]?["kind"] == "missing")
            // A node that was silent once was not asked about its other service.
            #expect(asked.withLock { $0.values.allSatisfy { $0 == 1 } && $0.count == others.count + 1 })
        }
    }

    @Test func `records whose time is up go, others stay`() async throws {
        try await Stage.with { stage in
            let now = stage.clock.port.now()
            for (seq, key, life) in [(1 as Int64, "old", Duration.seconds(-1)), (2, "new", .seconds(3600))] {
                _ = try await stage.store.beginIdempotent(
                    IdempotencyRecord(
                        key: key, scope: "k", digest: "d", status: 0, body: "", createdAt: now - .seconds(7200),
                        expiresAt: now + life))
                _ = try await stage.store.take(
                    Intake(
                        node: "nod_1",
                        events: [
                            NodeEventReport(
                                seq: seq, time: now + life, driver: "host", resource: nil, kind: key, data: [:])
                        ]))
            }
            try await RecordUpkeep(retention: Retention(events: .seconds(0))).reconcile(stage.dependencies)
            try await MetricUpkeep(retention: Retention()).reconcile(stage.dependencies)
            #expect(try await stage.store.idempotency(scope: "k", key: "old") == nil)
            #expect(try await stage.store.idempotency(scope: "k", key: "new") != nil)
            #expect(try await stage.store.events().items.map(\.kind) == ["new"])
        }
    }
}
