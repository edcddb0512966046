@testable import AgentCore
import DriverKit
import Glibc
import SQL
import SQLite
import TestSupport
import Testing
import WireProtocol

@Suite(.timeLimit(.minutes(2))) struct `A disk that fails while the agent runs` {
    @Test func `on a full disk no command is started; everything begun is answered; with room it goes on`() async throws
    {
        let controller = try await ScriptedController()
        let rig = try await AgentRig(controller)
        try await controller.waitForSession()
        let journal = rig.agent.files.journal
        try await journal.limit(pages: 1)
        var results: [CommandResult] = []
        while results.last?.status != .refused {
            try #require(results.count < 500, "the journal took more than its pages")
            controller.send(AgentRig.command("c\(results.count)"))
            results.append(try await controller.result(of: "c\(results.count)"))
        }
        let last = results.count - 1
        #expect(results[last].error?.code == .journal)
        #expect(results[last].error?.retryable == true)
        #expect(results[last].error?.message.contains("database or disk is full") == true)
        // Those before were run or, where their start did not fit, were not; none of them both or neither.
        let done = results.filter { $0.status == .succeeded }.map(\.id)
        #expect(results.allSatisfy { $0.status == .succeeded || $0.error?.code == .journal })
        #expect(rig.driver.calls.count == done.count)
        try await journal.limit(pages: 100_000)
        controller.send(AgentRig.command("c\(last)"))
        let now = try await controller.result(of: "c\(last)", after: 1)
        #expect(now.status == .succeeded)
        #expect(rig.driver.calls.count == done.count + 1)
        for id in done {
            _ = try await eventually("the end of \(id) on disk") { () async throws -> Receipt? in
                let receipt = try await journal.receipt(id)
                return receipt?.state == .succeeded ? receipt : nil
            }
        }
        await rig.stop()
    }

    @Test func `a disk that fails as a session opens does not silence that session for good`() async throws {
        let controller = try await ScriptedController()
        let driver = ScriptedDriver()
        driver.setSamples([("a.x", 1)])
        let rig = try await AgentRig(controller, driver: driver)
        controller.acknowledgeReports()
        _ = try await controller.wait("a sample", { $0.metrics.first })
        let spool = rig.agent.files.spool
        try await spool.refuseWrites(true)
        let opened = controller.lines.hellos.count
        controller.cut()
        try await controller.waitForSession(opened + 1)
        let sent = controller.lines.metrics.count
        try await Task.sleep(for: .milliseconds(300))
        try await spool.refuseWrites(false)
        _ = try await controller.wait("samples in the same session", { $0.metrics.count > sent + 2 ? true : nil })
        #expect(controller.lines.hellos.count == opened + 1)
        await rig.stop()
    }

    @Test func `what was done is never called not started, though no receipt can be written`() async throws {
        let controller = try await ScriptedController()
        let rig = try await AgentRig(controller)
        try await controller.waitForSession()
        controller.send(AgentRig.command("c1"))
        _ = try await controller.result(of: "c1")
        try await rig.agent.files.journal.refuseWrites(true)
        // While the first of them fails the others come together, and fail together.
        for id in ["c2", "c1", "c3"] { controller.send(AgentRig.command(id)) }
        for id in ["c2", "c3"] { #expect(try await controller.result(of: id).error?.code == .journal) }
        let again = try await controller.result(of: "c1", after: 1)
        #expect(again.status == .succeeded && again.replayed)
        #expect(rig.driver.calls.map(\.action).count == 1)
        await rig.stop()
    }

    @Test func `an acknowledgement that the disk did not take is noted when it does, in the same session`() async throws
    {
        let controller = try await ScriptedController()
        let rig = try await AgentRig(controller)
        try await controller.waitForSession()
        let journal = rig.agent.files.journal
        controller.send(AgentRig.command("c1"))
        _ = try await controller.result(of: "c1")
        try await journal.refuseWrites(true)
        controller.send(.ack(Acknowledgement(results: ["c1"])))
        // The answer to an order behind it shows that it was tried.
        controller.send(AgentRig.command("c2"))
        #expect(try await controller.result(of: "c2").error?.code == .journal)
        #expect(try await journal.unacknowledged(limit: 10).map(\.id) == ["c1"])
        try await journal.refuseWrites(false)
        _ = try await eventually("the note") { () async throws -> Bool? in
            try await journal.unacknowledged(limit: 10).isEmpty ? true : nil
        }
        #expect(controller.lines.hellos.count == 1)
        await rig.stop()
    }

    @Test func `a journal damaged while it is used ends the agent; the next one is told that it was lost`() async throws
    {
        let controller = try await ScriptedController()
        let rig = try await AgentRig(controller)
        try await controller.waitForSession()
        let epoch = try #require(controller.lines.hellos.first?.spool.epoch)
        for number in 1...40 {
            controller.send(AgentRig.command("c\(number)", journal: epoch))
            _ = try await controller.result(of: "c\(number)")
        }
        try await rig.agent.files.journal.forgetPages()
        try Self.damage(rig.folder.file("journal.sqlite"))
        // A damaged page need not be the one that a step reads; sooner or later it is.
        for number in 41...80 { controller.send(AgentRig.command("c\(number)", journal: epoch)) }
        let failure = try #require(await rig.failure() as? SQLError)
        #expect(failure.isCorrupt)
        let ran = rig.driver.calls.count
        await rig.stop()

        let next = try await AgentRig(controller, after: rig)
        try await controller.waitForSession(2)
        let hello = try #require(controller.lines.hellos.last)
        #expect(hello.spool.epoch != epoch)
        controller.forgetLines()
        controller.send(AgentRig.command("c1", journal: epoch))
        let refused = try await controller.result(of: "c1")
        #expect(refused.status == .refused)
        #expect(refused.error?.code == .journalLost)
        controller.send(AgentRig.command("d1", journal: hello.spool.epoch))
        #expect(try await controller.result(of: "d1").status == .succeeded)
        #expect(rig.driver.calls.count == ran && next.driver.calls.count == 1)
        await next.stop()
    }

    /// Overwrites every page but the first.
    private static func damage(_ path: String) throws {
        let file = open(path, O_RDWR)
        defer { close(file) }
        var status = stat()
        guard file >= 0, fstat(file, &status) == 0 else { throw SetupFailure("no file \(path)") }
        let junk = [UInt8](repeating: 0xA5, count: Int(status.st_size) - 4096)
        guard pwrite(file, junk, junk.count, 4096) == junk.count else { throw SetupFailure("cannot write \(path)") }
    }
}

extension Journal {
    /// Makes the disk as large as this and no larger.
    func limit(pages: Int) throws(SQLError) { try database.execute("PRAGMA max_page_count = \(pages)") }

    /// Puts everything into the file itself and nothing of it in memory, so that the next read is one of the disk.
    func forgetPages() throws(SQLError) {
        let ended = try database.first("PRAGMA wal_checkpoint(TRUNCATE)") { (row) throws(SQLError) in try row.int() }
        guard ended == 0 else { throw SQLError(kind: .busy, message: "no checkpoint") }
        try database.execute("PRAGMA shrink_memory")
    }
}

extension Journal {
    fileprivate func refuseWrites(_ refuses: Bool) throws(SQLError) {
        try database.execute("PRAGMA query_only = \(refuses ? "ON" : "OFF")")
    }
}

extension SpoolFile {
    fileprivate func refuseWrites(_ refuses: Bool) throws(SQLError) {
        try database.execute("PRAGMA query_only = \(refuses ? "ON" : "OFF")")
    }
}
