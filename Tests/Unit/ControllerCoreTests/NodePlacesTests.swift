import Model
import Placement
import Saga
import Store
import Synchronization
import Testing
import WireProtocol

@testable import ControllerCore

/// A node's places hold for all work on it, whatever its steps are called.
@Suite struct NodePlacesTests {
    /// Counts who works at the same time, and holds them until the test lets go.
    private final class Gate: Sendable {
        struct State { var inside = 0, most = 0, isOpen = false }
        let state = Mutex(State())

        func pass() async {
            state.withLock { state in
                state.inside += 1
                state.most = max(state.most, state.inside)
            }
            while !state.withLock({ $0.isOpen }), !Task.isCancelled { try? await Task.sleep(for: .milliseconds(2)) }
            state.withLock { $0.inside -= 1 }
        }
    }

    /// A product whose only verb has one step, which says nothing of any node.
    private static func catalogue(_ gate: Gate) -> Catalogue {
        let poke = ProductVerb(
            Verb("poke", from: [.running]), summary: "Pokes it.",
            saga: SagaDefinition<ServiceScope>(
                kind: "poke",
                steps: [
                    SagaStep(
                        StepKey<NoOutput>("poke"),
                        act: { (_, _) async throws(StepFailure) in
                            await gate.pass()
                            return NoOutput()
                        })
                ]), scope: { $0 })
        let product = Product(
            name: "thing", summary: "A thing.",
            specification: Specification(schema: ["type": "object"], read: { fields, _ throws(CoreError) in fields }),
            verbs: [poke])
        return Catalogue(products: [product], types: [])
    }

    @Test func `an operation with a node holds one of its places from its first step on`() async throws {
        try await Stage.with { stage in
            let gate = Gate()
            var dependencies = stage.dependencies
            dependencies.catalogue = Self.catalogue(gate)
            try await stage.addNode("nod_2")
            let now = stage.clock.port.now()
            for number in 1...6 {
                try await stage.store.insertService(
                    ServiceRecord(
                        id: "svc_\(number)", customer: "c", product: "thing", plan: "p", state: .running,
                        node: number == 6 ? "nod_2" : "nod_1", createdAt: now, updatedAt: now))
            }
            let limits = ExecutorLimits(perNode: 2, perKind: 100, unplaced: 100)
            try await stage.executing(limits: limits, in: dependencies) { _, operations in
                var orders: [ServiceOperation] = []
                for number in 1...6 {
                    orders.append(try await operations.order("poke", on: "svc_\(number)", by: Stage.by))
                }
                try await stage.until("two work on one node and one on the other") {
                    gate.state.withLock { $0.inside } == 3
                }
                let last = orders[5]
                #expect(try await stage.state(last) == .running)
                gate.state.withLock { $0.isOpen = true }
                for order in orders { try await stage.until("it ends") { try await stage.state(order) == .succeeded } }
            }
            #expect(gate.state.withLock { $0.most } == 3)
        }
    }

    @Test func `work that has places of its own takes none of the others'`() {
        let dispatch = Dispatch(
            limits: ExecutorLimits(perNode: 1, perKind: 1000, unplaced: 1), catalogue: .tested)
        func record(_ id: String, _ kind: String, _ service: String? = nil) -> OperationRecord {
            OperationRecord(
                id: id, kind: kind, service: service, node: "n", createdAt: Timestamp(milliseconds: 0))
        }
        let commands = (0...Operations.commandsPerNode).map { record("c\(1000 + $0)", "command") }
        let chosen = dispatch.choose(
            commands + [record("s1", "suspend", "a"), record("s2", "suspend", "b")], active: []
        ).map(\.id)
        #expect(chosen.filter { $0.hasPrefix("c") }.count == Operations.commandsPerNode)
        #expect(chosen.filter { $0.hasPrefix("s") } == ["s1"])
    }
}
