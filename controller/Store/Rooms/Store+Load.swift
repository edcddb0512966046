package import Model

/// How busy a node was when it last told.
struct MeasuredLoad: Sendable, Hashable {
    /// 0 (idle) to 1 (busy).
    let busy: Double
    let time: Timestamp

    /// Older figures say nothing about now.
    static let freshness = Duration.seconds(300)
    /// The share of the processors that do nothing, in percent.
    static let series = "host.cpu.idle"
}

extension Store {
    /// The measured load of nodes, 0 (idle) to 1 (busy), from samples that are no older than five minutes; others are
    /// absent. In memory: it is a hint for placement, which a start of the controller may forget.
    package func measuredLoads(at now: Timestamp) -> [String: Double] {
        loads.compactMapValues { now - $0.time < MeasuredLoad.freshness ? $0.busy : nil }
    }

    /// Takes the load out of a sample that comes in.
    func noteLoad(_ row: SampleRow, _ entry: SeriesEntry, of node: String) {
        guard let place = entry.idle, place < row.values.count, let idle = row.values[place], idle.isFinite,
            loads[node].map({ $0.time <= row.time }) ?? true
        else { return }
        loads[node] = MeasuredLoad(busy: min(1, max(0, 1 - idle / 100)), time: row.time)
    }
}
