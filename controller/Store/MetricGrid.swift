import Metering
import Model

/// Stored samples or roll-ups of one stretch of time.
struct MetricSource {
    let start: Int64
    let data: [UInt8]
    let isRollup: Bool
}

/// Aggregates by series and step.
struct MetricGrid {
    let step: Int64
    private var series: [String: [Int64: Cell]] = [:]
    private var counters: [String: CounterTrack] = [:]
    /// Where the first step begins; readings of counters may lie before it.
    private let start: Int64
    /// By name: asked for with each value.
    private var isCounter: [String: Bool] = [:]

    /// `last` belongs to the newest sample, whatever the order in which they come.
    private struct Cell {
        var aggregate = Aggregate()
        var time = Int64.min
    }

    init(step: Int64, from start: Int64) {
        self.step = step
        self.start = start
    }

    mutating func add(_ value: Double, at time: Int64, to name: String) {
        if counts(name) {
            return counters[name, default: CounterTrack()].add(value, at: time, isRollup: false)
        }
        var one = Aggregate()
        one.add(value)
        add(one, at: time, to: name)
    }

    mutating func add(_ part: Aggregate, at time: Int64, to name: String) {
        guard !part.isEmpty, time >= start else { return }
        var cell = series[name, default: [:]][Rollup.start(of: time, length: step), default: Cell()]
        if time >= cell.time {
            cell.aggregate.add(part)
            cell.time = time
        } else {
            var earlier = part
            earlier.add(cell.aggregate)
            cell.aggregate = earlier
        }
        series[name, default: [:]][Rollup.start(of: time, length: step)] = cell
    }

    mutating func add(_ source: MetricSource, _ set: StoredSeries, _ range: Range<Int64>) throws(DamagedBytes) {
        let chunk = try MetricChunk(source.data)
        for (name, index) in set.columns {
            if source.isRollup {
                let parts = try Rollup.aggregates(of: chunk, series: index)
                for (time, part) in zip(chunk.times, parts) where range.contains(time) {
                    addRollup(part, at: time, to: name)
                }
            } else {
                let values = try chunk.column(index)
                for (time, value) in zip(chunk.times, values) where range.contains(time) {
                    add(value, at: time, to: name)
                }
            }
        }
    }

    private mutating func addRollup(_ part: Aggregate, at time: Int64, to name: String) {
        guard counts(name) else { return add(part, at: time, to: name) }
        guard !part.isEmpty else { return }
        counters[name, default: CounterTrack()].add(part.last, at: time, isRollup: true)
    }

    private mutating func counts(_ name: String) -> Bool {
        if let known = isCounter[name] { return known }
        let counts = MetricKind.of(name).form == .counter
        isCounter[name] = counts
        return counts
    }

    var lines: [MetricLine] {
        let rates = counters.map { MetricLine(name: $0, points: $1.points(step: step, from: start)) }
        return (gauges + rates).sorted { $0.name < $1.name }
    }

    private var gauges: [MetricLine] {
        series.map { name, cells in
            let points = cells.sorted { $0.key < $1.key }.map { time, cell in
                MetricPoint(
                    time: Timestamp(milliseconds: time), aggregate: cell.aggregate, mean: cell.aggregate.average)
            }
            return MetricLine(name: name, points: points)
        }
    }
}
