import Model
import Store
import Testing
import WireProtocol

@testable import ContainerProduct
@testable import ControllerCore

extension Stage {
    /// A provisioning whose container could neither be made nor removed.
    func stuck() async throws -> ServiceOperation {
        let made = try await create()
        node.change { state in
            state.numbers = [:]
            // The container is made and reported as failed, and no undo gets through.
            for number in 3...40 { state.faults[number] = [Fault](repeating: .failsBefore, count: 4) }
        }
        #expect(try await finish(made.operation.id).state == .needsAttention)
        node.change { $0.faults = [:] }
        return made
    }
}

@Suite struct ResolutionTests {
    @Test func `a person says how what was left over was seen to, once`() async throws {
        try await Stage.with { stage in
            let made = try await stage.stuck()
            let leftovers = try await stage.outcome(made.operation.id).result?["leftovers"]
            #expect(leftovers != nil)
            for note in ["", "a\u{1B}[2J", String(repeating: "x", count: 1001)] {
                await #expect(throws: CoreError.self) {
                    try await stage.operations.resolve(made.operation.id, note: note, by: Stage.by)
                }
            }
            for _ in 1...2 {
                let done = try await stage.operations.resolve(
                    made.operation.id, note: "removed by hand", by: Stage.by)
                #expect(done.state == .resolved && done.result?["leftovers"] == leftovers)
                #expect(done.result?["resolution"]?["by"] == "test")
                #expect(done.result?["resolution"]?["note"] == "removed by hand")
            }
            let rows = try await stage.store.auditLog(subjects: [made.operation.id]).items
            #expect(rows.map(\.action) == ["operation.resolve"])
            #expect(try await stage.store.log(made.operation.id).last?.text == "resolved: removed by hand")
        }
    }

    @Test func `what ended well, or has not ended, cannot be resolved`() async throws {
        try await Stage.with { stage in
            let made = try await stage.create()
            await #expect(throws: CoreError.self) {
                try await stage.operations.resolve(made.operation.id, note: "x", by: Stage.by)
            }
            try await stage.finish(made.operation.id)
            await #expect(throws: CoreError.self) {
                try await stage.operations.resolve(made.operation.id, note: "x", by: Stage.by)
            }
        }
    }

    @Test func `what is still on the node keeps needing attention`() async throws {
        try await Stage.with { stage in
            let made = try await stage.stuck()
            #expect(!stage.node.belongings.datasets.isEmpty)
            stage.letTimePass()
            try await SettledOperations().reconcile(stage.dependencies)
            #expect(try await stage.outcome(made.operation.id).state == .needsAttention)
            #expect(try await stage.store.place(of: made.service.id) != nil)
        }
    }

    @Test func `what is gone from the node is resolved, and its names are free again`() async throws {
        try await Stage.with { stage in
            let made = try await stage.stuck()
            stage.node.change { state in
                state.belongings = Belongings()
                state.numbers = [:]
            }
            // Not at once: an order of before may still be under way.
            try await SettledOperations().reconcile(stage.dependencies)
            #expect(try await stage.outcome(made.operation.id).state == .needsAttention)
            stage.letTimePass()
            stage.node.change { $0.connected = false }
            try await SettledOperations().reconcile(stage.dependencies)
            #expect(try await stage.outcome(made.operation.id).state == .needsAttention)
            stage.node.change { $0.connected = true }
            for _ in 1...2 { try await SettledOperations().reconcile(stage.dependencies) }
            let done = try await stage.outcome(made.operation.id)
            #expect(done.state == .resolved)
            #expect(done.result?["resolution"]?["by"] == "reconciler/settled-operations")
            #expect(try await stage.store.allocations(service: made.service.id).isEmpty)
            #expect(try await stage.service(made.service.id).node == nil)
        }
    }

    @Test func `a termination that went well settles what came before it`() async throws {
        try await Stage.with { stage in
            let made = try await stage.stuck()
            let end = try await stage.operations.terminate(made.service.id, by: Stage.by)
            #expect(try await stage.finish(end.operation.id).state == .succeeded)
            stage.letTimePass()
            try await SettledOperations().reconcile(stage.dependencies)
            #expect(try await stage.outcome(made.operation.id).state == .resolved)
        }
    }
}
