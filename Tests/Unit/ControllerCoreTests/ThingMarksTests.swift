import Model
import Store
import Synchronization
import Testing
import WireProtocol

@testable import ContainerProduct
@testable import ControllerCore

/// Whose a thing is goes along with every command, and is looked after when nobody asks.
@Suite struct ThingMarksTests {
    private static let zfs = "tank/innkeeper/"

    private func round(_ stage: Stage) async throws {
        stage.letTimePass()
        try await stage.reportInventory()
        try await ThingMarks(operations: stage.operations).reconcile(stage.dependencies)
        try await stage.recordGenerations()
    }

    private func nonces(_ stage: Stage, _ service: String) async throws -> [String: String] {
        let held = try await stage.store.allocations(service: service)
        return held.reduce(into: [:]) { $0[$1.kind] = $1.nonce }
    }

    private func open(_ stage: Stage) async throws -> [String] {
        try await stage.store.findings(FindingFilter(withResolved: false)).items.map(\.kind).sorted()
    }

    /// What was made by a version without marks: datasets bear an owner and no nonce, containers the command that made them.
    private func old(_ stage: Stage) async throws -> ServiceRecord {
        try await stage.addNode("nod_1", again: true, marks: false)
        let service = try await stage.provision()
        try await stage.addNode("nod_1", again: true)
        return service
    }

    // MARK: commands

    @Test(arguments: Scenario.all)
    func `each command that makes, changes, stops or removes bears service and nonce`(scenario: Scenario) async throws {
        try await Scene.with(scenario) { scene in
            let before = scene.stage.node.state.withLock { Set($0.bodies.keys) }
            try await scene.stage.finish(scene.operation)
            let bodies = scene.stage.node.state.withLock { $0.bodies }.filter { !before.contains($0.key) }
            let made = try await scene.stage.store.operations(
                OperationFilter(service: scene.service, kind: "provision"), page: PageRequest(limit: 1)
            ).items.first
            let mark: JSONValue = ["service": .string(scene.service), "nonce": .string(try #require(made).id)]
            for (command, body) in bodies where !command.contains(".image.") && !command.contains(".usage.") {
                // Looking needs none.
                guard !(scenario.kind == .repair && command.contains(".dataset.")) else { continue }
                #expect(body["mark"] == mark, "\(command)")
                #expect(body["owner"] == nil && body["service"] == nil && body["labels"] == nil, "\(command)")
            }
        }
    }

    @Test func `an agent that knows no marks gets none, and an operation goes on as it began`() async throws {
        try await Stage.with { stage in
            try await stage.addNode("nod_1", again: true, marks: false)
            let made = try await stage.create()
            _ = try await stage.run(made.operation.id, stopAt: 8)
            // The agent is upgraded in the middle.
            try await stage.addNode("nod_1", again: true)
            #expect(try await stage.finish(made.operation.id).state == .succeeded)
            let bodies = stage.node.state.withLock { $0.bodies }.filter { !$0.key.contains(".image.") }
            #expect(bodies.count == 3 && bodies.values.allSatisfy { $0["mark"] == nil })
            #expect(stage.node.belongings.datasets.values.map(\.owner) == [made.service.id])
            #expect(try await stage.service(made.service.id).address["nonces"] == nil)
            let end = try await stage.operations.terminate(made.service.id, by: Stage.by)
            #expect(try await stage.finish(end.operation.id).state == .succeeded)
            #expect(stage.node.belongings.datasets.isEmpty && stage.node.belongings.containers.isEmpty)
        }
    }

    @Test(arguments: [(noun: "dataset", other: true), ("dataset", false), ("container", true), ("container", false)])
    func `what bears another's mark, or that of another making, is left alone and told`(
        noun: String, other: Bool
    ) async throws {
        try await Stage.with { stage in
            let service = try await stage.provision()
            stage.node.change { state in
                let dataset = Self.zfs + service.id
                switch (noun, other) {
                case ("dataset", true): state.belongings.datasets[dataset]?.owner = "svc_other"
                case ("dataset", false): state.belongings.datasets[dataset]?.nonce = "another"
                case (_, true): state.belongings.containers[service.id]?.service = "svc_other"
                case (_, false): state.belongings.containers[service.id]?.nonce = "another"
                }
            }
            let before = stage.node.belongings
            let upgrade = try await stage.operations.upgrade(service.id, UpgradeRequest(plan: "large"), by: Stage.by)
            let ended = try await stage.finish(upgrade.operation.id)
            #expect(ended.state == .failed && ended.error?.code == "foreign")
            #expect(stage.node.belongings == before)
            #expect(try await open(stage) == ["service.foreign_\(noun)"])
            // Whoever looks later finds the same, and no more than that.
            try await round(stage)
            #expect(try await open(stage) == ["service.foreign_\(noun)"])
            #expect(stage.node.belongings == before)
            let end = try await stage.operations.terminate(service.id, by: Stage.by)
            #expect(try await stage.finish(end.operation.id).state == .needsAttention)
            #expect(noun == "dataset" || stage.node.belongings == before)
            #expect(stage.node.belongings.datasets == before.datasets)
        }
    }

    @Test func `what a thing bears is held against the books, and is not believed where it could not be sent along`() {
        let (known, unknown) = (ThingMark(service: "s", nonce: "op_1"), ThingMark(service: "s"))
        #expect(MarkVerdict(ThingMark(service: "s", nonce: "op_1"), against: known) == .ours)
        #expect(MarkVerdict(ThingMark(service: "s", nonce: "op_2"), against: unknown) == .unknown(nonce: "op_2"))
        #expect(MarkVerdict(nil, against: known) == .unmarked && MarkVerdict(unknown, against: known) == .unmarked)
        for nonce in ["", "a b", String(repeating: "x", count: 129)] {
            #expect(MarkVerdict(ThingMark(service: "s", nonce: nonce), against: unknown) == .unmarked)
        }
        for other in [ThingMark(service: "t", nonce: "op_1"), ThingMark(service: "s", nonce: "op_2")] {
            guard case .foreign = MarkVerdict(other, against: known) else {
                Issue.record("\(other) is taken for the service's")
                continue
            }
        }
    }

    // MARK: the reconciler

    @Test func `what is right is left as it is, and what was wrong and is right again is settled`() async throws {
        try await Stage.with { stage in
            let service = try await stage.provision()
            let before = stage.node.belongings
            try await round(stage)
            #expect(try await open(stage).isEmpty && stage.node.belongings == before)
            stage.node.change { $0.belongings.containers[service.id]?.service = "svc_other" }
            try await round(stage)
            #expect(try await open(stage) == ["service.foreign_container"])
            stage.node.change { $0.belongings = before }
            try await round(stage)
            #expect(try await open(stage).isEmpty)
            // With the service everything that was said of its things ends.
            stage.node.change { $0.belongings.containers[service.id]?.service = "svc_other" }
            try await round(stage)
            stage.node.change { $0.belongings = before }
            let end = try await stage.operations.terminate(service.id, by: Stage.by)
            #expect(try await stage.finish(end.operation.id).state == .succeeded)
            #expect(try await open(stage).isEmpty)
        }
    }

    @Test func `what was made before marks is given one, once, and is known from then on`() async throws {
        try await Stage.with { stage in
            let service = try await old(stage)
            #expect(try await nonces(stage, service.id).isEmpty)
            try await round(stage)
            // The container's own is written down; the dataset is asked for.
            let made = try #require(stage.node.belongings.containers[service.id]?.nonce)
            #expect(try await nonces(stage, service.id) == ["container": made])
            let orders = try await stage.store.unfinishedOperations()
            #expect(orders.map(\.kind) == ["command"] && orders.first?.requestedBy == "reconciler/marks")
            #expect(try await open(stage).isEmpty)
            try await stage.finish(try #require(orders.first).id)
            let nonce = try #require(stage.node.belongings.datasets[Self.zfs + service.id]?.nonce)
            try await round(stage)
            #expect(try await nonces(stage, service.id) == ["container": made, "dataset": nonce])
            #expect(try await stage.store.unfinishedOperations().isEmpty)
            let order = try await stage.operations.suspend(service.id, by: Stage.by)
            #expect(try await stage.finish(order.operation.id).state == .succeeded)
            let body = stage.node.state.withLock { $0.bodies.first { $0.key.hasPrefix(order.operation.id) }?.value }
            #expect(body?["mark"] == ["service": .string(service.id), "nonce": .string(made)])
        }
    }

    @Test func `what is otherwise than ordered is given no mark, and what the owner forbids is told`() async throws {
        try await Stage.with { stage in
            let service = try await old(stage)
            let name = Self.zfs + service.id
            stage.node.change { $0.belongings.datasets[name]?.quota = 7 }
            try await round(stage)
            #expect(try await open(stage) == ["service.unmarked_dataset"])
            #expect(try await stage.store.unfinishedOperations().isEmpty)
            // One that has lost even its owner is nobody's.
            stage.node.change { $0.belongings.datasets[name]?.owner = "" }
            try await round(stage)
            #expect(try await open(stage).contains("service.foreign_dataset"))

            stage.node.change {
                $0.belongings.datasets[name]?.quota = 100 * Stage.mebi
                $0.belongings.datasets[name]?.owner = service.id
            }
            try await round(stage)
            let order = try #require(try await stage.store.unfinishedOperations().first)
            stage.node.change { $0.everywhere = [.refused] }
            #expect(try await stage.finish(order.id).state == .failed)
            // It is asked for once a day.
            stage.node.change { $0.everywhere = [] }
            try await round(stage)
            #expect(try await open(stage).contains("service.unmarked_dataset"))
            #expect(try await stage.store.unfinishedOperations().isEmpty)
            stage.clock.state.withLock { $0.milliseconds += 86_400_000 }
            try await round(stage)
            #expect(try await stage.store.unfinishedOperations().count == 1)
        }
    }

    @Test func `nothing is told while an operation works on the service`() async throws {
        try await Stage.with { stage in
            let service = try await stage.provision()
            stage.node.change { $0.belongings.containers[service.id]?.nonce = "another" }
            _ = try await stage.operations.suspend(service.id, by: Stage.by)
            try await round(stage)
            #expect(try await open(stage).isEmpty)
        }
    }
}

extension Stage {
    /// What a fleet writes down of its commands: how new they were.
    fileprivate func recordGenerations() async throws {
        let now = clock.port.now()
        for (resource, generation) in node.state.withLock({ $0.generations }) {
            _ = try await store.insertCommand(
                CommandRecord(
                    id: "\(resource) \(generation)", node: "nod_1", resource: resource,
                    body: ["generation": .integer(generation)], createdAt: now))
        }
    }
}
