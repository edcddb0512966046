import DriverKit
import Model
import WireProtocol

/// The source of a node's metrics, usage and events, which remembers what it gave out.
final class Gauge: @unchecked Sendable {
    // Unchecked: one thread.
    struct Sample {
        let number: Int
        let time: Moment
        let owner: Owner
    }

    let node: Int
    private(set) var samples: [Sample] = []
    /// The last reading that was given out.
    private(set) var reading: Int64 = 0
    private(set) var events = 0
    private var emit: (@Sendable (DriverEvent) -> Void)?
    private let scheduler = Scheduler.shared

    init(node: Int) { self.node = node }

    /// Each sample is a number of its own, so that one that is lost, doubled or changed shows.
    func sample() -> Double {
        samples.append(Sample(number: samples.count + 1, time: scheduler.now, owner: scheduler.current))
        return Double(samples.count)
    }

    func read() -> Int64 {
        reading = scheduler.now / 1_000_000
        return reading
    }

    func listen(_ emit: @escaping @Sendable (DriverEvent) -> Void) { self.emit = emit }

    /// Something happens on the node.
    func happen(in owner: Owner) {
        guard let emit else { return }
        events += 1
        let event = DriverEvent(
            time: .now(), resource: "host", kind: "test.event", data: ["number": .integer(Int64(events))])
        scheduler.within(owner) { emit(event) }
    }
}

struct SimulatedHost: Driver {
    static let name = "host"
    let gauge: Gauge
    let version = "1"
    let actions: [ActionSpec] = []
    let concurrency = 1

    func facts() async -> JSONObject { ["processors": 16, "memory_bytes": .integer(64 << 30)] }

    func perform(_ call: ActionCall, _ context: ActionContext) async throws(DriverError) -> ActionOutcome {
        throw DriverError(.unsupported, "the host does nothing")
    }

    func inventory() async throws(DriverError) -> [InventoryItem] { [] }

    func sample(into batch: inout SampleBatch) async {
        batch.append("host.number", gauge.sample())
        batch.append("host.cpu.idle", 80)
    }

    func usage() async -> [UsageCounter] {
        [UsageCounter(subject: "host", meter: "time_ms", epoch: "one", value: gauge.read())]
    }

    func events(_ emit: @escaping @Sendable (DriverEvent) -> Void) async {
        gauge.listen(emit)
        try? await Task.sleep(for: .seconds(1 << 30))
    }
}
