import Metering
import Model
import Testing
import WireProtocol

@testable import Store

@Suite(.onEveryEngine) struct `A counter` {
    let fixture: StoreFixture
    var store: Store { fixture.store }
    private let names = SeriesSet(set: "aa", names: ["container/s1.cpu.seconds", "container/s1.memory.used"])

    init() throws { fixture = try StoreFixture() }

    /// One sample each ten seconds from `start`.
    private func store(_ counters: [Double?], from start: Int64 = 0) async throws {
        let samples = counters.enumerated().map { index, value in
            SampleRow(
                seq: start / 10 + Int64(index) + 1, time: fixture.at(start + Int64(index) * 10), set: "aa",
                values: [value, value])
        }
        _ = try await store.take(Intake(node: "n1", series: [names], samples: samples))
    }

    private func points(_ name: String, _ from: Int64, _ to: Int64, step: Int64) async throws -> [MetricPoint] {
        try await store.metrics(
            MetricQuery(
                node: "n1", names: [name], from: fixture.at(from), to: fixture.at(to), step: .seconds(step))
        ).first?.points ?? []
    }

    @Test func `is shown as its rate, with least, mean and most`() async throws {
        // 0.5 cores, then 2, then one that stands still.
        try await store([1000, 1005, 1025, 1025])
        let all = try await points("container/s1.cpu.seconds", 0, 60, step: 60)
        #expect(all.map(\.mean) == [25.0 / 30])
        #expect(all.map(\.aggregate.minimum) == [0] && all.map(\.aggregate.maximum) == [2])
        let each = try await points("container/s1.cpu.seconds", 10, 40, step: 10)
        #expect(each.map(\.mean) == [0.5, 2, 0])
        // A gauge of the same figures stays what it is.
        let gauge = try await points("container/s1.memory.used", 0, 60, step: 60)
        #expect(gauge.map(\.mean) == [1013.75] && gauge.map(\.aggregate.minimum) == [1000])
    }

    @Test func `that begins anew has no rate there, and none below zero`() async throws {
        try await store([1000, 1010, 3, 8])
        #expect(try await points("container/s1.cpu.seconds", 0, 60, step: 60).map(\.mean) == [0.75])
        try await store([nil, 18], from: 40)
        let all = try await points("container/s1.cpu.seconds", 0, 60, step: 60)
        #expect(all.map(\.mean) == [25.0 / 40])
    }

    @Test func `keeps its rate when its samples are packed`() async throws {
        // An hour at a tenth of a core, the next at one.
        let counters = (0..<720).map { (index: Int) -> Double? in
            let rest = Double(index - 360)
            return index < 360 ? Double(index) : 360 + rest * 10
        }
        try await store(counters)
        let fine = try await points("container/s1.cpu.seconds", 3600, 7200, step: 300)
        #expect(try await store.compactMetrics(before: fixture.at(7200)) > 0)
        while try await store.compactMetrics(before: fixture.at(7200)) > 0 {}
        let packed = try await points("container/s1.cpu.seconds", 3600, 7200, step: 300)
        #expect(fine.count == packed.count)
        for (a, b) in zip(fine, packed).dropFirst() {
            #expect(abs((a.mean ?? 0) - 1) < 0.01 && abs((b.mean ?? 0) - 1) < 0.01)
        }
    }

    @Test func `has no newest figure but its newest rate`() async throws {
        try await store([1000])
        #expect(try await store.latestSamples(node: "n1")?.figures == ["container/s1.memory.used": 1000])
        try await store([1004], from: 10)
        let latest = try await store.latestSamples(node: "n1")
        #expect(latest?.figures == ["container/s1.memory.used": 1004, "container/s1.cpu.seconds": 0.4])
    }
}

@Suite(.onEveryEngine) struct `A node whose guests come and go` {
    let fixture: StoreFixture
    var store: Store { fixture.store }

    init() throws { fixture = try StoreFixture() }

    @Test func `has the names of its older series read only where they are asked for`() async throws {
        for number in 0..<5 {
            let set = SeriesSet(set: "s\(number)", names: ["host.load.1", "container/\(number).memory.used"])
            _ = try await store.take(
                Intake(
                    node: "n1", series: [set],
                    samples: [
                        SampleRow(
                            seq: Int64(number + 1), time: fixture.at(Int64(number) * 36_000), set: set.set,
                            values: [1, 2])
                    ]))
        }
        // Who reads these would fail.
        await store.damage("UPDATE metric_series SET names = 'no names' WHERE name_set < 's4'")
        let start = fixture.at(4 * 36_000)
        #expect(try await store.latestSamples(node: "n1", prefix: "host.")?.time == start)
        #expect(try await store.metricNames(node: "n1", since: start).count == 2)
        let query = MetricQuery(node: "n1", from: start, to: start + .seconds(60), step: .seconds(10))
        #expect(try await store.metrics(query).count == 2)
        let older = MetricQuery(node: "n1", from: fixture.at(0), to: fixture.at(60), step: .seconds(10))
        #expect(await failure { _ = try await store.metrics(older) } != nil)
    }
}
