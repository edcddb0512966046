import Metering
import Model
import SQL
import Testing

@testable import Store

@Suite(.onEveryEngine) struct `Stored metrics` {
    let fixture: StoreFixture
    var store: Store { fixture.store }
    private let hour: Int64 = 3600

    init() throws { fixture = try StoreFixture() }

    /// Three hours of samples every ten seconds. `start` is the start of an hour.
    func fill(_ seconds: StrideTo<Int64> = stride(from: 0, to: 3 * 3600, by: 10), first: Int64 = 1) async throws {
        let rows = seconds.enumerated().map { index, second in
            SampleRow(
                seq: first + Int64(index), time: fixture.at(second), set: "s",
                values: [Double(second), second % 100 == 0 ? nil : Double(second % 7) / 10, 5])
        }
        _ = try await store.take(
            Intake(node: "n1", series: [SeriesSet(set: "s", names: ["up", "odd", "still"])], samples: rows))
    }

    func lines(_ step: Duration, from: Int64 = 0, to: Int64 = 3 * 3600, _ names: [String] = ["*"]) async throws
        -> [MetricLine]
    {
        try await store.metrics(
            MetricQuery(node: "n1", names: names, from: fixture.at(from), to: fixture.at(to), step: step))
    }

    func compact(before seconds: Int64) async throws {
        while try await store.compactMetrics(before: fixture.at(seconds)) > 0 {}
    }

    @Test(arguments: [Duration.seconds(10), .seconds(60), .seconds(300), .seconds(3600)])
    func `answer the same from rows, chunks and roll-ups`(step: Duration) async throws {
        #expect(fixture.start.milliseconds % 3_600_000 == 0)
        try await fill()
        let before = try await lines(step)
        #expect(before.count == 3)
        try await compact(before: 2 * hour + 1)
        #expect(try await count("metric_chunks") == 2)
        #expect(try await count("metric_rows") == 360)
        let mixed = try await lines(step)
        try await compact(before: 3 * hour)
        #expect(try await count("metric_rows") == 0)
        for after in [mixed, try await lines(step)] {
            #expect(after.map(\.name) == before.map(\.name))
            for (left, right) in zip(after, before) {
                #expect(left.points.map(\.time) == right.points.map(\.time))
                for (one, other) in zip(left.points, right.points) {
                    #expect(one.aggregate.count == other.aggregate.count)
                    #expect(one.aggregate.minimum == other.aggregate.minimum)
                    #expect(one.aggregate.maximum == other.aggregate.maximum)
                    #expect(one.aggregate.last == other.aggregate.last)
                    #expect(abs((one.aggregate.average ?? 0) - (other.aggregate.average ?? 0)) < 1e-9)
                }
            }
        }
        #expect(try await store.latestSamples(node: "n1")?.values["up"] == Double(3 * hour - 10))
        #expect(try await store.metricNames(node: "n1", since: fixture.at(2 * hour)) == ["odd", "still", "up"])
        #expect(try await store.metricNames(node: "n1", since: fixture.at(4 * hour)) == [])
    }

    @Test func `learn no more names of a node than are kept, and say so`() async throws {
        var options = StoreOptions(groupCommit: .milliseconds(1))
        options.seriesLimit = SeriesLimit(sets: 2, bytes: 1 << 20)
        let fixture = try StoreFixture(options)
        let store = fixture.store
        try await fixture.node()
        func send(_ node: String, _ set: String, _ seqs: ClosedRange<Int64>) async throws -> Positions {
            try await store.take(
                Intake(
                    node: node, series: [SeriesSet(set: set, names: ["up"])],
                    samples: seqs.map { SampleRow(seq: $0, time: fixture.at($0), set: set, values: [Double($0)]) }))
        }
        for (seq, set) in [(1 as Int64, "a"), (2, "b")] { _ = try await send("n1", set, seq...seq) }
        #expect(try await store.findings().items.isEmpty)
        // Acknowledged, for the node would send it again and again; the known sets go on.
        #expect(try await send("n1", "c", 3...4).metrics == 4)
        #expect(try await send("n1", "d", 5...6).metrics == 6)
        #expect(try await send("n1", "a", 7...7).metrics == 7)
        #expect(try await send("n1", "c", 8...8).metrics == 8)
        #expect(try await send("n2", "c", 1...1).metrics == 1)
        let gaps = try await store.gaps(node: "n1").items.sorted { $0.fromSeq < $1.fromSeq }
        #expect(gaps.map { $0.fromSeq...$0.toSeq } == [3...6, 8...8])
        #expect(gaps.allSatisfy { $0.kind == "metrics" } && gaps.first?.toTime == fixture.at(6))
        let findings = try await store.findings().items
        #expect(findings.map(\.kind) == ["metrics.sets"] && findings.first?.node == "n1")
        #expect(try await store.latestSamples(node: "n1")?.values["up"] == 7)
        // Once old sets are gone there is room again.
        await store.forgetIntake()
        while try await store.compactMetrics(before: fixture.at(3600)) > 0 {}
        while try await store.pruneMetrics(samples: fixture.at(90_000), rollups: fixture.at(90_000)) > 0 {}
        #expect(try await send("n1", "e", 9...9).metrics == 9)
        #expect(try await store.gaps(node: "n1").items.count == 2)
    }

    @Test func `names of a node are bounded by their length too`() async throws {
        var options = StoreOptions(groupCommit: .milliseconds(1))
        options.seriesLimit = SeriesLimit(sets: 100, bytes: 1000)
        let fixture = try StoreFixture(options)
        for seq in 1...4 as ClosedRange<Int64> {
            let set = SeriesSet(set: "s\(seq)", names: [String(repeating: "n", count: 500)])
            let row = SampleRow(seq: seq, time: fixture.at(seq), set: set.set, values: [1])
            _ = try await fixture.store.take(Intake(node: "n1", series: [set], samples: [row]))
        }
        #expect(try await fixture.store.gaps(node: "n1").items.map { $0.fromSeq...$0.toSeq } == [3...4])
    }

    @Test func `take late samples into the chunk of their hour`() async throws {
        try await fill(stride(from: 0, to: 3600, by: 20))
        try await compact(before: hour)
        try await fill(stride(from: 10, to: 3600, by: 20), first: 1000)
        try await compact(before: hour)
        #expect(try await count("metric_chunks") == 1)
        let points = try await lines(.seconds(10), to: hour, ["up"]).first?.points
        #expect(points?.map(\.aggregate.last) == stride(from: 0.0, to: 3600, by: 10).map { $0 })
        #expect(try await lines(.seconds(3600), to: hour, ["up"]).first?.points.first?.aggregate.count == 360)
    }

    @Test func `outlive their samples as roll-ups, and go when nothing is left`() async throws {
        try await fill()
        try await compact(before: 3 * hour)
        while try await store.pruneMetrics(samples: fixture.at(2 * hour), rollups: fixture.at(hour)) > 0 {}
        #expect(try await count("metric_chunks") == 1)
        #expect(try await count("metric_rollups") == 2)
        let fine = try await lines(.seconds(10), ["up"]).first?.points ?? []
        #expect(fine.filter { $0.time < fixture.at(2 * hour) }.count == 12)
        #expect(fine.filter { $0.time >= fixture.at(2 * hour) }.count == 360)
        while try await store.pruneMetrics(samples: fixture.at(9 * hour), rollups: fixture.at(9 * hour)) > 0 {}
        #expect(try await count("metric_rollups") == 0)
        // The set is still in use by this process; after a restart it goes.
        #expect(try await count("metric_series") == 1)
        await store.close()
        let again = try fixture.reopened()
        _ = try await again.pruneMetrics(samples: fixture.start, rollups: fixture.start)
        #expect(try await again.metricNames(node: "n1", since: fixture.start).isEmpty)
    }

    @Test func `that are damaged become a gap, and hold back no others`() async throws {
        try await fill(stride(from: 0, to: 3600, by: 10))
        await store.damage("UPDATE metric_rows SET data = x'ff00' WHERE time = \(fixture.at(50).milliseconds)")
        guard case .corrupt = await failure(of: { _ = try await lines(.seconds(10), to: hour) }) else {
            Issue.record("damage was not noticed")
            return
        }
        try await compact(before: hour)
        #expect(try await lines(.seconds(10), to: hour, ["up"]).first?.points.count == 359)
        let gaps = try await store.gaps(node: "n1").items
        #expect(gaps.map(\.fromTime) == [fixture.at(50)])
        #expect(gaps.first?.reason.contains("damaged") == true)
    }

    @Test func `refuse a question without sense or end`() async throws {
        try await fill(stride(from: 0, to: 100, by: 10))
        for (from, to, step) in [
            (0, 0, Duration.seconds(1)), (5, 1, .seconds(1)), (0, 9, .zero), (0, 1 << 40, .milliseconds(1)),
        ] {
            guard case .invalid = await failure(of: { _ = try await lines(step, from: Int64(from), to: Int64(to)) })
            else {
                Issue.record("\(from) \(to) \(step) was not refused")
                continue
            }
        }
        #expect(try await lines(.seconds(1), to: 100, ["none", "od*"]).map(\.name) == ["odd"])
        #expect(try await store.latestSamples(node: "nobody") == nil)
    }

    private func count(_ table: String) async throws -> Int { try await store.countRows(table) }
}

extension Store {
    func countRows(_ table: String) throws(StoreError) -> Int {
        try row("SELECT count(*) FROM \(table)") { (row) throws(SQLError) in try row.int() } ?? 0
    }

    func damage(_ sql: String) { try! run(sql) }
}
