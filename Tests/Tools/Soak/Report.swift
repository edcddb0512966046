import SimulatedFleet
import Synchronization

/// The table at the end, and the verdict.
struct Report {
    /// Readings before this share of a life are warm-up, but no more than ten minutes of it.
    private static let warmUp = 0.25
    /// A shorter stretch says nothing of an hour.
    private static let shortest = 10.0 / 60

    private let readings: [Reading]
    private let findings: Findings
    private let tally: Tally

    init(_ readings: [Reading], _ findings: Findings, _ tally: Tally) {
        (self.readings, self.findings, self.tally) = (readings, findings, tally)
    }

    func print() -> Bool {
        var rows: [Row] = []
        say("\ndaemon      life  minutes  figure           start      end      max  slope an hour (95 %)")
        let lives = Dictionary(grouping: readings) { Life(daemon: $0.daemon, number: $0.life) }
        for (life, all) in lives.sorted(by: { $0.key < $1.key }) { rows += self.rows(life, all) }
        say("")
        for (what, number) in findings.counts { say("\(what): \(number)") }
        say("commands carried out by simulated agents: \(tally.commands.load(ordering: .relaxed))")
        for row in rows where row.growth == .grows { say("LEAK: \(row.subject)") }
        for row in rows where row.growth == .undecided {
            say("UNDECIDED: \(row.subject): it may still be warming up; a longer run tells")
        }
        for breach in findings.breaches { say("BROKEN: \(breach)") }
        let isGood = findings.breaches.isEmpty && rows.allSatisfy { $0.growth.isGood }
        say(isGood ? "verdict: nothing grows that must not, every promise was kept" : "verdict: NOT good")
        return isGood
    }

    private struct Life: Hashable, Comparable {
        var daemon: String
        var number: Int

        static func < (one: Life, other: Life) -> Bool { (one.daemon, one.number) < (other.daemon, other.number) }
    }

    private struct Row {
        var subject: String
        var growth: Growth
    }

    private func rows(_ life: Life, _ all: [Reading]) -> [Row] {
        guard let first = all.first, let last = all.last else { return [] }
        let warm = min((last.hours - first.hours) * Self.warmUp, 10.0 / 60)
        let counted = all.filter { $0.hours - first.hours >= warm }
        let isLong = last.hours - first.hours - warm >= Self.shortest
        return Figure.allCases.compactMap { figure in
            let points = counted.compactMap { reading in reading.figures[figure].map { (reading.hours, $0) } }
            guard let start = points.first?.1, let end = points.last?.1 else { return nil }
            let slope = isLong ? Slope(points, blockHours: 1.0 / 60) : nil
            let growth = isLong ? Growth(points, bound: figure.bound(of: life.daemon)) : .none
            let row = [
                life.daemon.padded(10), "\(life.number)".padded(-5), one((last.hours - first.hours) * 60).padded(-8),
                "",
                figure.rawValue.padded(12), one(start).padded(-9), one(end).padded(-8),
                one(points.map(\.1).max() ?? 0).padded(-8), "",
                slope.map { "\(one($0.perHour)) ± \(one($0.halfWidth))" } ?? "too short to tell", growth.rawValue,
            ]
            say(row.joined(separator: " "))
            let pace = slope.map { "\(one($0.perHour)) an hour" } ?? ""
            return Row(subject: "\(figure.rawValue) of \(life.daemon), life \(life.number): \(pace)", growth: growth)
        }
    }

    private func one(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }
}

extension String {
    /// Filled with spaces to a width; to the left when negative.
    fileprivate func padded(_ width: Int) -> String {
        let fill = String(repeating: " ", count: max(0, abs(width) - count))
        return width < 0 ? fill + self : self + fill
    }
}
