package import Model
package import WireProtocol

/// A node of a simulated fleet without its link: what it says to what it hears.
///
/// It keeps samples until they are acknowledged, up to `spool` of them, records the gap when there is no more room, and
/// keeps results until they are acknowledged. Its memory outlives its links, as an agent's disk does.
package struct SimulatedNode: Sendable {
    /// The series whose value is the sample's own number: so a reader can tell which samples are there.
    package static let sequence = "node.sequence"

    package let id: String
    package private(set) var engine = SimulatedEngine()
    /// When each sample was taken, the first being number 1.
    package private(set) var times: [Int64] = []
    /// Samples that were lost and whose gap was told.
    package private(set) var toldGaps: [ClosedRange<Int64>] = []
    private var samples: SampleSpool
    private let drivers: [DriverReport]
    private let epoch: String
    private let started = Timestamp.now().milliseconds
    /// How often it was welcome.
    package private(set) var welcomes = 0
    private var isWelcome = false
    private var beats: Int64 = 0
    private var inventory: Int64 = 0
    /// Results that were not acknowledged, and the ends of earlier commands.
    private var results: [String: CommandResult] = [:]
    private var known: [String: CommandResult] = [:]
    private var knownOrder: [String] = []

    /// - Parameter drivers: what its hello lists; without any, no service is placed on it.
    package init(id: String, series: Int, spool: Int, drivers: [DriverReport] = []) {
        self.id = id
        self.drivers = drivers
        epoch = Identifier.make("sim")
        samples = SampleSpool(series: series, limit: spool)
    }

    /// Samples that were not acknowledged.
    package var waiting: Int { samples.waiting.count }
    /// Samples for whose loss the controller has a gap on record, or will have with the next link.
    package var gaps: [ClosedRange<Int64>] { toldGaps + samples.gaps.map { $0.fromSeq...$0.toSeq } }
    package var waitingResults: Int { results.count }

    /// The first line of a link.
    package mutating func hello() -> Hello {
        parted()
        return Hello(
            agent: "0.0.0-simulated", node: id, boot: "boot-\(id)", started: started, hostname: id,
            os: OperatingSystem(name: "debian", version: "12", kernel: "6.1", arch: "x86_64"), drivers: drivers,
            receipts: results.values.prefix(Hello.maximumReceipts).map { ReceiptReport(id: $0.id, status: $0.status) },
            spool: SpoolReport(epoch: epoch, metrics: samples.range))
    }

    /// The link is gone: what is sampled from now on waits.
    package mutating func parted() { isWelcome = false }

    package mutating func heartbeat() -> AgentMessage {
        beats += 1
        return .heartbeat(Heartbeat(seq: beats, time: Timestamp.now().milliseconds))
    }

    /// Takes a sample; says it when somebody listens.
    package mutating func sample(at time: Timestamp) -> [AgentMessage] {
        let metrics = samples.take(at: time)
        times.append(time.milliseconds)
        return isWelcome ? [.metrics(metrics)] : []
    }

    /// What it answers at once. A command's result is `result(of:)`, to be sent when the work is over.
    package mutating func receive(_ message: ControllerMessage) -> [AgentMessage] {
        switch message {
        case .welcome(let welcome): return begin(welcome)
        case .ack(let ack):
            for id in ack.results { results[id] = nil }
            if let position = ack.metrics { samples.forget(through: position) }
            return []
        case .command(let command): return take(command)
        default: return []
        }
    }

    /// The end of a command and, where it changed containers, what there is now.
    package mutating func result(of command: String) -> [AgentMessage] {
        guard isWelcome, let result = results[command] else { return [] }
        return [.result(result)] + (result.changed ? [inventoryMessage()] : [])
    }

    private mutating func begin(_ welcome: Welcome) -> [AgentMessage] {
        isWelcome = true
        welcomes += 1
        if let position = welcome.ack.metrics { samples.forget(through: position) }
        var messages: [AgentMessage] = [.series(SeriesDefinition(names: samples.names))]
        toldGaps += samples.gaps.map { $0.fromSeq...$0.toSeq }
        messages += samples.gaps.map { .gap($0) }
        messages += samples.replay.map { .metrics($0) }
        messages += results.values.map { result in
            var again = result
            again.replayed = true
            return .result(again)
        }
        if !drivers.isEmpty { messages.append(inventoryMessage()) }
        return messages
    }

    private mutating func take(_ command: Command) -> [AgentMessage] {
        if let result = known[command.id] {
            results[command.id] = result
            return [.accepted(Accepted(id: command.id, status: .accepted, duplicate: true))]
        }
        let result = engine.perform(command, at: Timestamp.now().milliseconds)
        results[command.id] = result
        remember(result)
        return [.accepted(Accepted(id: command.id, status: .accepted, duplicate: false))]
    }

    private mutating func remember(_ result: CommandResult) {
        known[result.id] = result
        knownOrder.append(result.id)
        if knownOrder.count > 256 { known[knownOrder.removeFirst()] = nil }
    }

    private mutating func inventoryMessage() -> AgentMessage {
        inventory += 1
        return .inventory(Inventory(driver: "docker", generation: inventory, full: true, items: engine.items))
    }
}
