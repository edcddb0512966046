import Metering
import Model

/// The readings of one counter, and what they say of its rate.
struct CounterTrack {
    private struct Reading {
        let time: Int64
        let value: Double
        /// A sample has a time of its own, a roll-up only that of its stretch: the two are not set against each other.
        let isRollup: Bool
    }

    private var readings: [Reading] = []

    mutating func add(_ value: Double, at time: Int64, isRollup: Bool) {
        guard value.isFinite else { return }
        readings.append(Reading(time: time, value: value, isRollup: isRollup))
    }

    /// Rates a second by step, from each reading to the next; a counter that began anew has none there.
    func points(step: Int64, from start: Int64) -> [MetricPoint] {
        var steps: [Int64: (rates: Aggregate, grown: Double, seconds: Double)] = [:]
        let ordered = readings.sorted { $0.time < $1.time }
        for (before, after) in zip(ordered, ordered.dropFirst())
        where before.isRollup == after.isRollup && after.time > before.time && after.value >= before.value {
            let place = Rollup.start(of: after.time, length: step)
            guard place >= start else { continue }
            let (grown, seconds) = (after.value - before.value, Double(after.time - before.time) / 1000)
            var cell = steps[place] ?? (Aggregate(), 0, 0)
            cell.rates.add(grown / seconds)
            cell.grown += grown
            cell.seconds += seconds
            steps[place] = cell
        }
        return steps.sorted { $0.key < $1.key }.map { time, cell in
            MetricPoint(
                time: Timestamp(milliseconds: time), aggregate: cell.rates, mean: cell.grown / cell.seconds)
        }
    }
}
