@testable import AgentCore
import Model
import SQLite
import TestSupport
import Testing
import WireProtocol

@Suite struct `The journal` {
    let scratch: ScratchFolder

    init() throws { scratch = try ScratchFolder("journal") }

    private func open(_ limit: Int = 1 << 20) async throws -> StateFiles {
        try await StateFiles.open(in: scratch.path, spoolLimit: limit, now: .now())
    }

    private func request(_ id: String, digest: String = "d", generation: Int64 = 1, begins: Bool = false)
        -> ReceiptRequest
    {
        ReceiptRequest(
            id: id, digest: digest, resource: "r", driver: "d", operation: "o", generation: generation,
            isFromLostJournal: false, begins: begins, time: .now())
    }

    private func succeeded(_ id: String) -> CommandResult {
        CommandResult(id: id, status: .succeeded, changed: true, observed: ["n": 1], finished: 5)
    }

    @Test func `what was accepted or running ends as interrupted at the next start, each with its own reason`()
        async throws
    {
        var files: StateFiles? = try await open()
        let admissions = try await files?.journal.write([
            .admit(request("waiting")), .admit(request("running", begins: true)), .admit(request("done")),
            .begin(id: "done", time: .now()), .finish(id: "done", result: succeeded("done")),
        ])
        #expect(admissions == [.admitted, .admitted, .admitted])
        files = nil
        let again = try await open()
        #expect(again.interrupted == 2)
        #expect(try await again.journal.receipt("waiting")?.result?.error?.code == .notStarted)
        #expect(try await again.journal.receipt("waiting")?.result?.error?.retryable == true)
        #expect(try await again.journal.receipt("running")?.result?.error?.code == .interrupted)
        #expect(try await again.journal.receipt("done")?.result == succeeded("done"))
        let third = try await open()
        #expect(third.interrupted == 0)
    }

    @Test func `what was given back in secret is kept until the controller has it, and not longer`() async throws {
        let journal = try await open().journal
        let observed: JSONObject = ["returned": ["a": "b"], "secrets": ["key": "not for ever"]]
        let result = CommandResult(id: "a", status: .succeeded, changed: true, observed: observed, finished: 5)
        _ = try await journal.write([.admit(request("a", begins: true)), .finish(id: "a", result: result)])
        #expect(try await journal.receipt("a")?.result == result)
        _ = try await journal.write([.acknowledge(id: "a", time: .now())])
        let kept = try await journal.receipt("a")?.result
        #expect(kept?.observed == ["returned": ["a": "b"]] && kept?.status == .succeeded)
    }

    @Test func `a repeat is known, another order under the id and an older generation are refused`() async throws {
        let journal = try await open().journal
        _ = try await journal.write([.admit(request("a", generation: 3))])
        let answers = try await journal.write([
            .admit(request("a", generation: 3)), .admit(request("a", digest: "other", generation: 3)),
            .admit(request("b", generation: 2)), .admit(request("c", generation: 3)),
        ])
        guard case .known(let receipt) = answers[0] else {
            Issue.record("not known")
            return
        }
        #expect(receipt.state == .accepted)
        #expect(Array(answers[1...]) == [.refused(.otherRequest), .refused(.stale(lastGeneration: 3)), .admitted])
    }

    @Test func `a generation that nobody can have given holds no resource, not even from before such were refused`()
        async throws
    {
        let newest = Command.newestGeneration(by: Timestamp.now().milliseconds)
        for wild: Int64 in [1 << 62, newest + (1 << 42), 1 << 57] {
            let admission = ReceiptRules.admission(
                of: request("wild", generation: wild), existing: nil, lastGeneration: 7)
            guard case .refused(.ahead) = admission else {
                Issue.record("\(wild): \(admission)")
                continue
            }
            #expect(
                ReceiptRules.admission(of: request("a", generation: 8), existing: nil, lastGeneration: wild)
                    == .admitted)
        }
        // A restored controller's, whose clock may be somewhat ahead; what it has given stays.
        let last = newest + (1 << 24) * 3600
        let journal = try await open().journal
        let answers = try await journal.write([
            .admit(request("a", generation: last)), .admit(request("b", generation: 8)),
            .admit(request("c", generation: 1 << 62)), .admit(request("d", generation: last)),
        ])
        #expect(answers[0] == .admitted && answers[1] == .refused(.stale(lastGeneration: last)))
        guard case .refused(.ahead) = answers[2] else {
            Issue.record("\(answers[2])")
            return
        }
        #expect(answers[3] == .admitted)
    }

    @Test func `the first end of a command stands`() async throws {
        let journal = try await open().journal
        let later = CommandResult(id: "a", status: .failed, changed: false, finished: 9)
        _ = try await journal.write([
            .admit(request("a", begins: true)), .finish(id: "a", result: succeeded("a")),
            .finish(id: "a", result: later),
        ])
        #expect(try await journal.receipt("a")?.state == .succeeded)
    }

    @Test func `pruning takes old and surplus acknowledged receipts and never one that was not acknowledged`()
        async throws
    {
        let journal = try await open().journal
        for index in 1...6 {
            let id = "c\(index)"
            _ = try await journal.write([.admit(request(id, begins: true)), .finish(id: id, result: succeeded(id))])
            let time = Timestamp(milliseconds: Int64(index) * 1000)
            if index < 6 { _ = try await journal.write([.acknowledge(id: id, time: time)]) }
        }
        try await journal.prune(before: Timestamp(milliseconds: 1500), keep: 3)
        var left: [String] = []
        for index in 1...6 where try await journal.receipt("c\(index)") != nil { left.append("c\(index)") }
        #expect(left == ["c3", "c4", "c5", "c6"])
        #expect(try await journal.unacknowledged(limit: 10).map(\.id) == ["c6"])
    }

    @Test func `a damaged journal is set aside and the new one has another epoch, for the spool too`() async throws {
        var files: StateFiles? = try await open()
        let epoch = files?.spool.epoch
        _ = try await files?.journal.write([.admit(request("a"))])
        _ = try await files?.spool.append(.events, time: .now()) { _ in [1] }
        _ = try await files?.spool.append(.events, time: .now()) { _ in [2] }
        try await files?.spool.forget(.events, through: 1)
        files = nil
        try scratch.write(Array("this is no database at all, not even a little".utf8), to: "journal.sqlite")
        let again = try await open()
        #expect(again.setAside.count == 1)
        #expect(try await again.journal.receipt("a") == nil)
        #expect(again.spool.epoch != epoch)
        // The report that was not stored yet goes on under a number of the new epoch.
        #expect(try await again.spool.reports(.events, in: 1..<10, limit: 10) == [SpooledReport(seq: 1, body: [2])])
        #expect(try await again.spool.append(.events, time: .now()) { _ in [3] }.seq == 2)
    }

    @Test func `a restart keeps epoch and numbers, a damaged spool gets a new epoch`() async throws {
        var files: StateFiles? = try await open()
        let epoch = files?.spool.epoch
        _ = try await files?.spool.append(.metrics, time: .now()) { _ in [1] }
        try await files?.spool.forget(.metrics, through: 1)
        files = try await open()
        #expect(files?.spool.epoch == epoch)
        #expect(try await files?.spool.append(.metrics, time: .now()) { _ in [2] }.seq == 2)
        files = nil
        try scratch.write([UInt8](repeating: 7, count: 8192), to: "spool.sqlite")
        let again = try await open()
        #expect(again.setAside.count == 1)
        #expect(again.spool.epoch != epoch)
    }

    @Test func `a full spool drops the oldest metrics, records one gap, and keeps usage`() async throws {
        let spool = try await open(10_000).spool
        let body = [UInt8](repeating: 1, count: 1000)
        for index in 1...5 {
            _ = try await spool.append(.usage, time: Timestamp(milliseconds: Int64(index))) { _ in body }
        }
        for index in 1...20 {
            _ = try await spool.append(.metrics, time: Timestamp(milliseconds: Int64(index))) { _ in body }
        }
        let ranges = try await spool.ranges()
        #expect(ranges[.usage] == 1...5)
        #expect(ranges[.metrics] == 1...20, "a gap is still to be told")
        let first = try #require(try await spool.extent(.metrics).first)
        #expect(first > 10)
        let gaps = try await spool.untoldGaps(anew: true)
        #expect(gaps.map(\.kind) == [.metrics])
        #expect(gaps.first?.seqs == 1...(first - 1))
        #expect(gaps.first?.times.lowerBound == Timestamp(milliseconds: 1))
        #expect(try await spool.untoldGaps(anew: false).isEmpty)
        #expect(try await spool.untoldGaps(anew: true) == gaps, "each session is told")
        try await spool.forget(.metrics, through: first)
        #expect(try await spool.untoldGaps(anew: true).isEmpty)
    }
}
