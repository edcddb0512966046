import Model
import WireProtocol

/// The samples of a simulated node that were not acknowledged, oldest first.
struct SampleSpool: Sendable {
    let names: [String]
    private(set) var waiting: [Metrics] = []
    /// What had to be dropped and is not acknowledged either.
    private(set) var gaps: [Gap] = []
    private var values: [Double?]
    private var last: Int64 = 0
    private let set: String
    private let limit: Int

    init(series: Int, limit: Int) {
        names = [SimulatedNode.sequence] + (1..<max(2, series)).map { "container/svc-\($0 / 10).value\($0 % 10)" }
        values = names.indices.map { Double($0) }
        set = SeriesDefinition(names: names).set
        self.limit = limit
    }

    /// What it can still send: samples, and gaps in the place of samples.
    var range: SpoolRange? {
        let firsts = [waiting.first?.seq, gaps.first?.fromSeq].compactMap(\.self)
        return firsts.min().map { SpoolRange(first: $0, last: last) }
    }

    /// What waits, marked as sent again.
    var replay: [Metrics] {
        waiting.map { metrics in
            var again = metrics
            again.replayed = true
            return again
        }
    }

    mutating func take(at time: Timestamp) -> Metrics {
        last += 1
        // Like a real machine: most figures stay or move a little.
        for index in values.indices where (Int(last) + index) % 3 == 0 {
            values[index] = (values[index] ?? 0) + Double((index &* 7 &+ Int(last)) % 11)
        }
        values[0] = Double(last)
        let metrics = Metrics(seq: last, time: time.milliseconds, set: set, values: values)
        waiting.append(metrics)
        if waiting.count > limit { drop(waiting.removeFirst()) }
        return metrics
    }

    mutating func forget(through position: Int64) {
        if let first = waiting.first, first.seq <= position {
            waiting.removeFirst(waiting.prefix { $0.seq <= position }.count)
        }
        gaps.removeAll { $0.toSeq <= position }
    }

    private mutating func drop(_ lost: Metrics) {
        if let gap = gaps.last, gap.toSeq == lost.seq - 1 {
            gaps[gaps.count - 1].toSeq = lost.seq
            gaps[gaps.count - 1].to = lost.time
        } else {
            gaps.append(
                Gap(
                    kind: .metrics, fromSeq: lost.seq, toSeq: lost.seq, from: lost.time, to: lost.time,
                    reason: "spool full"))
        }
    }
}
