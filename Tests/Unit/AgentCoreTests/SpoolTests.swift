@testable import AgentCore
import Model
import SQL
import SQLite
import TestSupport
import Testing
import WireProtocol

@Suite struct `The spool` {
    let scratch: ScratchFolder

    init() throws { scratch = try ScratchFolder("spool") }

    private func open() async throws -> SpoolFile {
        try await StateFiles.open(in: scratch.path, spoolLimit: 1 << 20, now: .now()).spool
    }

    private func counter(_ value: Int64, epoch: String = "e") -> Usage.Counter {
        Usage.Counter(subject: "thing/a", meter: "cpu_ms", epoch: epoch, value: value)
    }

    /// The newest value of each epoch that is on disk.
    private func values(_ spool: SpoolFile) async throws -> [String: Int64] {
        var values: [String: Int64] = [:]
        for report in try await spool.reports(.usage, in: 1..<100_000, limit: 100_000) {
            guard case .usage(let usage) = try AgentMessage(decoding: report.body) else { continue }
            #expect(usage.seq == report.seq)
            for counter in usage.counters { values[counter.epoch] = max(values[counter.epoch] ?? 0, counter.value) }
        }
        return values
    }

    @Test func `usage of a long time cut off takes bounded room and loses no counter`() async throws {
        var spool = try await open()
        for round in 1...700 {
            // Every hundredth round a container starts anew.
            let value = counter(Int64(round), epoch: "e\(round / 100)")
            _ = try await spool.append(usage: [value], time: Timestamp(milliseconds: Int64(round)))
            if round == 500 { spool = try await open() }
        }
        #expect(try await spool.ranges()[.usage] == 1...(ReplayCursor.reach + 1))
        let expected: [String: Int64] = [
            "e0": 99, "e1": 199, "e2": 299, "e3": 399, "e4": 499, "e5": 599, "e6": 699, "e7": 700,
        ]
        #expect(try await values(spool) == expected)
        #expect(try await spool.untoldGaps(anew: true).isEmpty)
    }

    @Test func `a report of usage that may have been sent is never changed`() async throws {
        let spool = try await open()
        let last = ReplayCursor.reach + 2
        for round in 1...last { _ = try await spool.append(usage: [counter(round)], time: .now()) }
        // One report holds the last two rounds now; a session reads it.
        #expect(try await spool.ranges()[.usage]?.upperBound == last - 1)
        let sent = try await spool.reports(.usage, in: (last - 1)..<last, limit: 10)
        let next = try await spool.append(usage: [counter(last + 1)], time: .now())
        #expect(next == last)
        #expect(try await spool.reports(.usage, in: (last - 1)..<last, limit: 10) == sent)
        // Once the controller has stored the rest, there is room again.
        try await spool.forget(.usage, through: last - 1)
        #expect(try await spool.append(usage: [counter(last + 2)], time: .now()) == last + 1)
    }

    @Test func `more counters than a line takes go in several reports, merged as well`() async throws {
        let spool = try await open()
        for round in 1...ReplayCursor.reach { _ = try await spool.append(usage: [counter(round)], time: .now()) }
        for round in 1...3 {
            let many = (0..<4500).map {
                Usage.Counter(subject: "thing/\($0)", meter: "m", epoch: "e", value: Int64(round))
            }
            #expect(try await spool.append(usage: many, time: .now()) == ReplayCursor.reach + 3)
        }
    }

    @Test func `what a full disk did not take leaves a gap, usage does not, and all goes on when there is room`()
        async throws
    {
        let spool = try await open()
        let body = [UInt8](repeating: 1, count: 3000)
        _ = try await spool.append(.events, time: Timestamp(milliseconds: 1)) { _ in body }
        try await spool.limit(pages: 1)
        var refused: [SQLError] = []
        for time in 2...20 {
            do {
                _ = try await spool.append(.events, time: Timestamp(milliseconds: Int64(time))) { _ in body }
            } catch { refused.append(error) }
        }
        #expect(refused.count > 1)
        #expect(refused.allSatisfy { $0.isFull })
        let big = (0..<500).map { Usage.Counter(subject: "thing/\($0)", meter: "m", epoch: "e", value: 1) }
        await #expect(throws: SQLError.self) { _ = try await spool.append(usage: big, time: .now()) }
        try await spool.limit(pages: 100_000)
        let lost = Int64(refused.count)
        let next = try await spool.append(.events, time: Timestamp(milliseconds: 21)) { _ in body }
        #expect(next.seq == 21)
        #expect(try await spool.append(usage: big, time: .now()) == 1)
        let gaps = try await spool.untoldGaps(anew: true)
        #expect(gaps.map(\.reason) == ["the spool could not be written"])
        #expect(gaps.first?.seqs == (21 - lost)...20)
        #expect(try await spool.reports(.events, in: 1..<100, limit: 100).map(\.seq) == Array(1...(20 - lost)) + [21])
        // The gap is announced like a report: what lies below the announced range counts as settled.
        try await spool.forget(.events, through: 20 - lost)
        #expect(try await spool.ranges()[.events] == (21 - lost)...21)
    }

    @Test func `a sample whose names the disk did not take leaves a gap, and the next one brings them`() async throws {
        let spool = try await open()
        let series = SpooledSeries(set: "s", line: [UInt8](repeating: 1, count: 30_000))
        try await spool.limit(pages: 1)
        await #expect(throws: SQLError.self) {
            _ = try await spool.append(.metrics, time: Timestamp(milliseconds: 1), defining: series) { _ in [1] }
        }
        try await spool.limit(pages: 100_000)
        let next = try await spool.append(.metrics, time: Timestamp(milliseconds: 2), defining: series) { _ in [1] }
        #expect(next.seq == 2)
        #expect(try await spool.untoldGaps(anew: true).map(\.seqs) == [1...1])
        #expect(try await spool.definition("s") == series.line)
    }

    /// One report of a set with these names.
    private func sample(_ spool: SpoolFile, _ set: Int, size: Int = 1000) async throws {
        let series = SpooledSeries(set: "s\(set)", line: [UInt8](repeating: 1, count: size))
        _ = try await spool.append(.metrics, time: .now(), defining: series) { _ in [1] }
    }

    private func known(_ spool: SpoolFile, _ sets: ClosedRange<Int>) async throws -> [Int] {
        var known: [Int] = []
        for set in sets where try await spool.definition("s\(set)") != nil { known.append(set) }
        return known
    }

    @Test func `names stay as long as a report counts on them, over restarts too`() async throws {
        var spool = try await open()
        for set in [1, 2, 1, 3] { try await sample(spool, set) }
        try await spool.forget(.metrics, through: 1)
        #expect(try await known(spool, 1...3) == [1, 2, 3], "the third report counts on the first set")
        spool = try await open()
        try await spool.forget(.metrics, through: 2)
        #expect(try await known(spool, 1...3) == [1, 3])
        try await spool.forget(.metrics, through: 4)
        #expect(try await known(spool, 1...3) == [3], "the newest set is in use")
        try await sample(spool, 1)
        try await spool.forget(.metrics, through: 5)
        #expect(try await known(spool, 1...3) == [1])
    }

    @Test func `names take room, and go with the oldest reports`() async throws {
        var spool = try await open()
        for set in 1...40 { try await sample(spool, set, size: 50_000) }
        let kept = try await known(spool, 1...40)
        #expect((15...20).contains(kept.count) && kept.last == 40, "\(kept)")
        let first = try await spool.ranges()[.metrics]?.lowerBound
        #expect(try await spool.reports(.metrics, in: 1..<41, limit: 40).map(\.seq) == kept.map(Int64.init))
        #expect(first == 1, "the gap is owed")
        spool = try await open()
        try await sample(spool, 41, size: 50_000)
        #expect(try await known(spool, 1...41).count <= 20, "what was there counts after a restart")
    }

    @Test func `a lost event is told of with the next report of any kind`() async throws {
        let spool = try await open()
        let body = [UInt8](repeating: 1, count: 30_000)
        try await spool.limit(pages: 1)
        await #expect(throws: SQLError.self) {
            _ = try await spool.append(.events, time: Timestamp(milliseconds: 1)) { _ in body }
        }
        try await spool.limit(pages: 100_000)
        #expect(try await spool.untoldGaps(anew: true) == [])
        _ = try await spool.append(.metrics, time: Timestamp(milliseconds: 2)) { _ in body }
        #expect(try await spool.untoldGaps(anew: false).map(\.kind) == [.events])
        let again = try await open()
        #expect(await again.used.events == 1)
    }
}

extension SpoolFile {
    /// Makes the disk as large as this and no larger.
    func limit(pages: Int) throws(SQLError) { try database.execute("PRAGMA max_page_count = \(pages)") }
}

@Suite struct `The life of the agent on its spool` {
    let scratch: ScratchFolder

    init() throws { scratch = try ScratchFolder("spool") }

    private func open() async throws -> SpoolFile {
        try await StateFiles.open(in: scratch.path, spoolLimit: 1 << 20, now: .now()).spool
    }

    @Test func `one that ended in order leaves no gap, one that was killed leaves one of events`() async throws {
        var spool = try await open()
        try await spool.begin(at: Timestamp(milliseconds: 1000))
        #expect(try await spool.untoldGaps(anew: true).isEmpty, "the first")
        try await spool.end(at: Timestamp(milliseconds: 2000))
        spool = try await open()
        try await spool.begin(at: Timestamp(milliseconds: 3000))
        #expect(try await spool.untoldGaps(anew: true).isEmpty)
        _ = try await spool.append(.metrics, time: Timestamp(milliseconds: 4000)) { _ in [1] }
        spool = try await open()
        try await spool.begin(at: Timestamp(milliseconds: 9000))
        let gap = try #require(try await spool.untoldGaps(anew: true).first)
        #expect(gap.kind == .events && gap.seqs == 1...1)
        #expect(gap.times == Timestamp(milliseconds: 4000)...Timestamp(milliseconds: 9000))
        #expect(try await spool.append(.events, time: .now()) { _ in [1] }.seq == 2)
        #expect(try await spool.ranges()[.events] == 1...2)
    }
}
