package import DaemonKit
import Glibc
package import Model
package import SQL
import SQLite
import Threads
import WireProtocol

/// The agent's files of state, opened for a run whatever state they are in.
///
/// A damaged file is set aside, never repaired and never written again. The one in its place has a new epoch, by which the
/// controller knows that what it sent before must not be run again.
package struct StateFiles: Sendable {
    package let journal: Journal
    package let spool: SpoolFile
    package let audit: Audit
    /// Where damaged files were put.
    package let setAside: [String]
    /// Receipts that the last process left unfinished and that now stand as interrupted.
    package let interrupted: Int

    /// - Parameters:
    ///   - folder: the data folder.
    ///   - spoolLimit: bytes that the spool may take.
    ///   - thread: where the disk is waited for.
    package static func open(
        in folder: String, spoolLimit: Int, now: Timestamp, thread: any SerialExecutor = DiskThread()
    ) async throws(SQLError) -> StateFiles {
        var setAside: [String] = []
        let (journal, interrupted) = try await opened("\(folder)/journal.sqlite", now, &setAside) {
            (path) throws(SQLError) in
            let journal = try Journal(path: path, thread: thread)
            return (journal, try await journal.endUnfinished(now: now))
        }
        let spool = try await opened("\(folder)/spool.sqlite", now, &setAside) { (path) throws(SQLError) in
            try SpoolFile(path: path, limit: spoolLimit, journal: journal.epoch, thread: thread)
        }
        let audit = Audit(path: "\(folder)/audit.log", thread: thread)
        return StateFiles(journal: journal, spool: spool, audit: audit, setAside: setAside, interrupted: interrupted)
    }

    /// Closes files to others that were open to them. Returns what had to be put right, one sentence each.
    ///
    /// The node's identity is refused where it is read: its key may be in other hands.
    package static func checkModes(in folder: String) throws(FileError) -> [String] {
        var findings: [String] = []
        for name in ["journal.sqlite", "spool.sqlite", "audit.log", "audit.log.1"] {
            for suffix in name.hasSuffix(".sqlite") ? ["", "-wal", "-shm"] : [""] {
                let path = "\(folder)/\(name)\(suffix)"
                if try FileMode.tighten(path) { findings.append("\(path) was open to others; its mode is 600 now") }
            }
        }
        return findings
    }

    private static func opened<File: Sendable>(
        _ path: String, _ now: Timestamp, _ setAside: inout [String],
        _ open: (String) async throws(SQLError) -> File
    ) async throws(SQLError) -> File {
        let isThere = access(path, F_OK) == 0
        // A file that was emptied looks like a new one to SQLite; one that is gone has left its tally.
        let isLost = isThere ? SQLiteDatabase.hasChecksums(path) == nil : access(Tally.path(of: path), F_OK) == 0
        if isLost { putAside(path, now, &setAside) }
        do throws(SQLError) {
            return try await open(path)
        } catch {
            guard error.isCorrupt || error.kind == .mismatch else { throw error }
            putAside(path, now, &setAside)
            return try await open(path)
        }
    }

    private static func putAside(_ path: String, _ now: Timestamp, _ setAside: inout [String]) {
        let aside = "\(path).damaged-\(now.milliseconds)"
        for suffix in ["", "-wal", "-shm", ".tally"] { rename(path + suffix, aside + suffix) }
        setAside.append(aside)
    }
}

extension StateFiles {
    /// Tells the controller of a file that was set aside.
    func report(lost path: String, at time: Timestamp = .now()) async throws(SQLError) {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        _ = try await spool.append(.events, time: time) { seq in
            var line: [UInt8] = []
            AgentMessage.event(
                NodeEvent(
                    seq: seq, time: time.milliseconds, driver: "agent", resource: nil, kind: "agent.file_lost",
                    data: ["set_aside": .string(name)])
            ).encode(into: &line)
            return line
        }
    }
}
