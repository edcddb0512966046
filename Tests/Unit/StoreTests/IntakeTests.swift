import Metering
import Model
import Testing
import WireProtocol

@testable import Store

@Suite(.onEveryEngine) struct `What nodes send` {
    let fixture: StoreFixture
    var store: Store { fixture.store }
    let names = SeriesSet(set: "aa", names: ["host.cpu", "container/s1.memory", "container/s1.cpu"])

    init() throws { fixture = try StoreFixture() }

    func row(_ seq: Int64, _ seconds: Int64, _ values: [Double?]) -> SampleRow {
        SampleRow(seq: seq, time: fixture.at(seconds), set: "aa", values: values)
    }

    func usage(_ seq: Int64, _ seconds: Int64, _ value: Int64, epoch: String = "e1") -> UsageReport {
        UsageReport(
            seq: seq, time: fixture.at(seconds),
            counters: [UsageReport.Counter(subject: "docker/s1", meter: "cpu_ms", epoch: epoch, value: value)])
    }

    @Test func `is stored once, and only the gapless part is acknowledged`() async throws {
        _ = try await store.openJournal(node: "n1", epoch: "a", held: [.metrics: 5...10], at: fixture.start)
        var positions = try await store.take(
            Intake(node: "n1", series: [names], samples: [row(5, 0, [1, nil, 3]), row(10, 100, [4, 5, 6])]))
        #expect(positions.metrics == 5)
        positions = try await store.take(
            Intake(node: "n1", samples: [row(10, 100, [9, 9, 9]), row(6, 10, [2, 2, 2])]))
        #expect(positions.metrics == 6)
        let gap = GapReport(
            stream: .metrics, seqs: 7...9, from: fixture.at(20), to: fixture.at(90), reason: "spool full")
        positions = try await store.take(Intake(node: "n1", gaps: [gap, gap]))
        #expect(positions.metrics == 10)
        let gaps = try await store.gaps(node: "n1", page: PageRequest()).items
        // What the node had sent before, and no longer has, is missing here.
        #expect(gaps.map { $0.fromSeq...$0.toSeq } == [1...4, 7...9])
        #expect(gaps.last?.reason == "spool full")
        let lines = try await store.metrics(
            MetricQuery(node: "n1", from: fixture.start, to: fixture.at(200), step: .seconds(1)))
        #expect(lines.map(\.name) == ["container/s1.cpu", "container/s1.memory", "host.cpu"])
        #expect(lines.map { $0.points.map(\.aggregate.last) } == [[3, 2, 6], [2, 5], [1, 2, 4]])
        let latest = try await store.latestSamples(node: "n1", prefix: "container/s1.")
        #expect(latest?.values == ["container/s1.memory": 5, "container/s1.cpu": 6])
        #expect(latest?.time == fixture.at(100))
        #expect(try await store.metricNames(node: "n1", prefix: "host", since: fixture.start) == ["host.cpu"])
    }

    @Test func `is still known after a restart`() async throws {
        _ = try await store.take(
            Intake(node: "n1", series: [names], samples: [row(1, 0, [1, 2, 3])], usage: [usage(1, 0, 5)]))
        _ = try await store.take(Intake(node: "n1", samples: [row(3, 20, [1, 2, 3])]))
        await store.close()
        let again = try fixture.reopened()
        #expect(try await again.positions(node: "n1") == Positions(metrics: 1, usage: 1))
        // The names are known too: an agent whose link outlived the controller does not send them again.
        let positions = try await again.take(
            Intake(node: "n1", samples: [row(2, 10, [7, 7, 7]), row(3, 20, [0, 0, 0])], usage: [usage(1, 0, 5)]))
        #expect(positions == Positions(metrics: 3, usage: 1))
        #expect(try await again.usageCounters(subject: "docker/s1").map(\.value) == [5])
    }

    @Test func `of one node does not suffer from another's faults`() async throws {
        let fixture = fixture
        let names = names
        let good = Intake(node: "good", series: [names], samples: [row(1, 0, [1, 2, 3])])
        let faults: [Intake] = [
            Intake(node: "a", samples: [row(1, 0, [1, 2, 3])]),
            Intake(node: "b", series: [names], samples: [row(1, 0, [1])]),
            Intake(node: "c", series: [SeriesSet(set: "", names: ["x"])]),
            Intake(node: "d", series: [names, SeriesSet(set: "aa", names: ["x"])]),
            Intake(node: "e", samples: [SampleRow(seq: 1, time: Timestamp(milliseconds: .max), set: "aa", values: [])]),
            Intake(node: "f", usage: [usage(1, 0, -4)]),
        ]
        await withTaskGroup(of: Void.self) { group in
            for fault in faults {
                group.addTask {
                    switch await failure(of: { _ = try await fixture.store.take(fault) }) {
                    case .invalid, .notFound: break
                    case let other: Issue.record("\(fault.node): \(String(describing: other))")
                    }
                }
            }
            group.addTask {
                do {
                    #expect(try await fixture.store.take(good).metrics == 1)
                } catch {
                    Issue.record(error)
                }
            }
        }
        for fault in faults { #expect(try await store.positions(node: fault.node) == Positions()) }
        // A fault leaves nothing behind in memory either.
        let positions = try await store.take(Intake(node: "b", series: [names], samples: [row(1, 0, [1, 2, 3])]))
        #expect(positions.metrics == 1)
    }

    @Test func `counts usage once, by windows, across epochs and repeats`() async throws {
        try await store.hold("docker/s1", on: "n1", for: "s1", at: fixture.start)
        let reports = [usage(1, 0, 100), usage(2, 3600, 300), usage(3, 3700, 10, epoch: "e2")]
        for report in reports + reports {
            _ = try await store.take(Intake(node: "n1", usage: [report]))
        }
        // The counters come again under new numbers, as after the loss of a journal: nothing is added.
        _ = try await store.openJournal(node: "n1", epoch: "b", held: [.usage: 50...60], at: fixture.start)
        _ = try await store.take(Intake(node: "n1", usage: [usage(50, 3600, 300), usage(51, 3700, 10, epoch: "e2")]))
        let windows = try await store.usageWindows(subject: "docker/s1", from: fixture.at(-7200), to: fixture.at(7200))
        #expect(windows.map(\.amount).reduce(0, +) == 310)
        #expect(Set(windows.map(\.id)).count == windows.count)
        #expect(try await store.usageCounters(subject: "docker/s1").map(\.value) == [300, 10])
    }

    @Test func `keeps events in order and tells the feed`() async throws {
        var changes = store.changes().makeAsyncIterator()
        for seq in 1...3 {
            let event = NodeEventReport(
                seq: Int64(seq), time: fixture.at(Int64(seq)), driver: "docker", resource: "docker/s1", kind: "die",
                data: ["code": 1])
            _ = try await store.take(Intake(node: "n1", events: [event, event]))
        }
        #expect(try await store.events(node: "n1").items.map(\.seq) == [3, 2, 1])
        #expect(try await store.events(resource: "docker/other").items.isEmpty)
        let change = await changes.next()
        #expect(change?.kind == .event && change?.node == "n1")
        #expect(try await store.event(change?.id ?? "")?.seq == 1)
        #expect(try await store.pruneEvents(before: fixture.at(3)) == 2)
    }

    @Test func `starts anew with a new journal, and goes on with the same one`() async throws {
        _ = try await store.take(Intake(node: "n1", series: [names], samples: [row(900, 0, [1, 2, 3])]))
        #expect(
            try await store.openJournal(node: "n1", epoch: "b", held: [.metrics: 1...2], at: fixture.start).metrics == 0
        )
        let positions = try await store.take(Intake(node: "n1", samples: [row(1, 10, [1, 2, 3])]))
        #expect(positions.metrics == 1)
        #expect(try await store.openJournal(node: "n1", epoch: "b", at: fixture.start).metrics == 1)
        #expect(try await store.openJournal(node: "n1", epoch: "c", at: fixture.start).metrics == 0)
    }
}

/// What comes twice, late or in pieces.
@Suite(.onEveryEngine) struct `What a node says that it lost` {
    let fixture: StoreFixture
    var store: Store { fixture.store }
    let names = SeriesSet(set: "aa", names: ["host.cpu"])

    init() throws { fixture = try StoreFixture() }

    private func row(_ seq: Int64) -> SampleRow {
        SampleRow(seq: seq, time: fixture.at(seq), set: "aa", values: [1])
    }

    @Test func `is not told as missing when a gap names what has come`() async throws {
        _ = try await store.openJournal(node: "n1", epoch: "a", held: [.metrics: 1...1], at: fixture.start)
        _ = try await store.take(Intake(node: "n1", journal: "a", series: [names], samples: [row(1), row(4)]))
        let gap = GapReport(stream: .metrics, seqs: 1...6, from: fixture.at(1), to: fixture.at(6), reason: "full")
        #expect(try await store.take(Intake(node: "n1", journal: "a", gaps: [gap])).metrics == 6)
        let gaps = try await store.gaps(node: "n1", page: PageRequest()).items
        #expect(gaps.map { $0.fromSeq...$0.toSeq } == [2...3, 5...6])
    }

    @Test func `under a journal that it has lost since is refused`() async throws {
        _ = try await store.openJournal(node: "n1", epoch: "a", held: [.metrics: 1...1], at: fixture.start)
        _ = try await store.openJournal(node: "n1", epoch: "b", held: [.metrics: 1...1], at: fixture.start)
        let late = Intake(node: "n1", journal: "a", series: [names], samples: [row(900)])
        guard case .invalid = await failure(of: { _ = try await store.take(late) }) else {
            Issue.record("taken")
            return
        }
        #expect(try await store.take(Intake(node: "n1", journal: "b", series: [names], samples: [row(1)])).metrics == 1)
    }
}
