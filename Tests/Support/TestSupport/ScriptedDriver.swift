package import DriverKit
import Logging
import Synchronization
package import WireProtocol

/// A driver whose every answer is written by the test.
package final class ScriptedDriver: Driver {
    package static let name = "scripted"
    package typealias Script =
        @Sendable (ActionCall, ActionContext) async throws(DriverError) -> ActionOutcome

    package let version = "1"
    package let actions: [ActionSpec]
    package let concurrency: Int
    private let script: Script
    private let state = Mutex(State())

    private struct State {
        var calls: [ActionCall] = []
        var facts: JSONObject = [:]
        var inventory: [InventoryItem] = []
        var samples: [(String, Double?)] = []
        var usage: [UsageCounter] = []
        var absence: String?
        var recovered: [AbandonedCommand]?
        var emit: (@Sendable (DriverEvent) -> Void)?
    }

    package init(
        actions: [ActionSpec] = [
            ActionSpec("thing.ensure", .mutate, summary: "does what the test says"),
            ActionSpec("thing.look", .observe, summary: "looks as the test says"),
        ], concurrency: Int = 4,
        script: @escaping Script = { _, _ throws(DriverError) in ActionOutcome(changed: true) }
    ) {
        self.actions = actions
        self.concurrency = concurrency
        self.script = script
    }

    /// The calls so far, in the order in which they began.
    package var calls: [ActionCall] { state.withLock { $0.calls } }

    /// What it was told of earlier lives; nil before that.
    package var recovered: [AbandonedCommand]? { state.withLock { $0.recovered } }

    package func setAbsence(_ reason: String?) { state.withLock { $0.absence = reason } }
    package func setFacts(_ facts: JSONObject) { state.withLock { $0.facts = facts } }
    package func setInventory(_ items: [InventoryItem]) { state.withLock { $0.inventory = items } }
    package func setSamples(_ samples: [(String, Double?)]) { state.withLock { $0.samples = samples } }
    package func setUsage(_ usage: [UsageCounter]) { state.withLock { $0.usage = usage } }

    /// Reports an event; `false` when nobody listens yet.
    package func emit(_ event: DriverEvent) -> Bool {
        guard let emit = state.withLock({ $0.emit }) else { return false }
        emit(event)
        return true
    }

    package func absence() async -> String? { state.withLock { $0.absence } }
    package func recover(_ abandoned: [AbandonedCommand]) async { state.withLock { $0.recovered = abandoned } }
    package func facts() async -> JSONObject { state.withLock { $0.facts } }

    package func perform(
        _ call: ActionCall, _ context: ActionContext
    ) async throws(DriverError) -> ActionOutcome {
        state.withLock { $0.calls.append(call) }
        return try await script(call, context)
    }

    package func inventory() async throws(DriverError) -> [InventoryItem] { state.withLock { $0.inventory } }

    package func sample(into batch: inout SampleBatch) async {
        for (name, value) in state.withLock({ $0.samples }) { batch.append(name, value) }
    }

    package func usage() async -> [UsageCounter] { state.withLock { $0.usage } }

    package func events(_ emit: @escaping @Sendable (DriverEvent) -> Void) async {
        state.withLock { $0.emit = emit }
        try? await Task.sleep(for: .seconds(1 << 30))
        state.withLock { $0.emit = nil }
    }
}
