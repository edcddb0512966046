import Glibc
package import Model
package import SQLite

/// Opens the journal for a run of the agent, whatever state the file is in.
package enum JournalFile {
    package struct Opening: Sendable {
        package let journal: Journal
        /// Where a damaged journal was put; nil when it was sound.
        package let setAside: String?
        /// Receipts that the last process left unfinished and that now stand as interrupted.
        package let interrupted: Int
    }

    /// A damaged file is set aside, never repaired and never written again: the new journal has a new epoch, by which
    /// the controller knows that what it sent to the old one must not be run again.
    package static func open(
        path: String, thread: DiskThread, now: Timestamp
    ) async throws(SQLiteError) -> Opening {
        do throws(SQLiteError) {
            return try await use(Journal(path: path, thread: thread), setAside: nil, now)
        } catch {
            guard error.isCorrupt || error.kind == .mismatch else { throw error }
            let aside = "\(path).damaged-\(now.milliseconds)"
            for suffix in ["", "-wal", "-shm"] { rename(path + suffix, aside + suffix) }
            return try await use(Journal(path: path, thread: thread), setAside: aside, now)
        }
    }

    private static func use(_ journal: Journal, setAside: String?, _ now: Timestamp) async throws(SQLiteError)
        -> Opening
    {
        Opening(journal: journal, setAside: setAside, interrupted: try await journal.endUnfinished(now: now))
    }
}
