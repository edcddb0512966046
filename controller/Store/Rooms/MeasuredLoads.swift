import Model

/// How busy nodes are, as they last told. In memory: it is a hint for placement, which a start of the controller may forget.
struct MeasuredLoads {
    private struct Load {
        /// 0 (idle) to 1 (busy).
        let busy: Double
        let time: Timestamp
    }

    /// Older figures say nothing about now.
    private static let freshness = Duration.seconds(300)
    /// The share of the processors that do nothing, in percent.
    static let series = "host.cpu.idle"

    private var loads: [String: Load] = [:]

    /// By node, of those that have told lately.
    func fresh(at now: Timestamp) -> [String: Double] {
        loads.compactMapValues { now - $0.time < Self.freshness ? $0.busy : nil }
    }

    /// Takes the load out of a sample that comes in.
    mutating func note(_ row: SampleRow, _ entry: SeriesEntry, of node: String) {
        guard let place = entry.idle, place < row.values.count, let idle = row.values[place], idle.isFinite,
            loads[node].map({ $0.time <= row.time }) ?? true
        else { return }
        loads[node] = Load(busy: min(1, max(0, 1 - idle / 100)), time: row.time)
    }

    mutating func forget(_ node: String) { loads[node] = nil }
}
