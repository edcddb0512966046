import DriverKit
import Model
import Synchronization
import WireProtocol

/// A driver that remembers everything it has ever told: each sample is its own number, each event too, and its counters
/// only grow.
final class TruthDriver: Driver {
    static let name = "truth"

    /// One sample as it was taken.
    struct Taken: Sendable, Hashable {
        var number: Int64
        var time: Timestamp
    }

    private struct State {
        var samples: [Taken] = []
        var events: [Taken] = []
        var usage: Int64 = 1
        var isFlowing = false
        var emit: (@Sendable (DriverEvent) -> Void)?
        /// How often each order's work was begun.
        var work: [String: Int] = [:]
    }

    let version = "1"
    let actions = [ActionSpec("thing.ensure", .mutate, summary: "counts how often it is done")]
    let concurrency = 4
    /// Series that come with each number and make its report large.
    private let ballast: [String]
    private let state = Mutex(State())

    init(ballast: Int = 0) { self.ballast = (0..<ballast).map { "truth.ballast.\($0)" } }

    var samples: [Taken] { state.withLock { $0.samples } }
    var events: [Taken] { state.withLock { $0.events } }
    var used: Int64 { state.withLock { $0.usage } }
    var work: [String: Int] { state.withLock { $0.work } }

    /// While nothing flows there is nothing to report.
    func flow(_ flows: Bool) { state.withLock { $0.isFlowing = flows } }

    /// Something happens; false when no agent listens.
    @discardableResult
    func happen() -> Bool {
        state.withLock { state in
            guard state.isFlowing, let emit = state.emit else { return false }
            let event = Taken(number: Int64(state.events.count) + 1, time: .now())
            state.events.append(event)
            emit(DriverEvent(time: event.time, kind: "tick", data: ["number": .integer(event.number)]))
            return true
        }
    }

    func perform(
        _ call: ActionCall, _ context: ActionContext
    ) async throws(DriverError) -> ActionOutcome {
        state.withLock { $0.work[context.commandID, default: 0] += 1 }
        return ActionOutcome(changed: true, observed: ["did": .string(context.commandID)])
    }

    func inventory() async throws(DriverError) -> [InventoryItem] {
        [InventoryItem(resource: "thing/a", state: ["samples": .integer(Int64(samples.count))])]
    }

    func sample(into batch: inout SampleBatch) async {
        let number = state.withLock { state -> Int64? in
            guard state.isFlowing else { return nil }
            let taken = Taken(number: Int64(state.samples.count) + 1, time: .now())
            state.samples.append(taken)
            return taken.number
        }
        guard let number else { return }
        batch.append("truth.number", Double(number))
        for (index, name) in ballast.enumerated() { batch.append(name, Double(number) + Double(index) / 7) }
    }

    func usage() async -> [DriverKit.UsageCounter] {
        let value = state.withLock { state in
            if state.isFlowing { state.usage += Int64.random(in: 1...1000) }
            return state.usage
        }
        return [UsageCounter(subject: "thing/a", meter: "truth", epoch: "only", value: value)]
    }

    func events(_ emit: @escaping @Sendable (DriverEvent) -> Void) async {
        state.withLock { $0.emit = emit }
        try? await Task.sleep(for: .seconds(1 << 30))
        state.withLock { $0.emit = nil }
    }
}
