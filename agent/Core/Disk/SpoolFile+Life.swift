package import Model
package import SQL
import SQLite

/// Whether the last process could write everything down before it ended. Events are in memory for a moment, and nobody can
/// say how many were when a process was killed.
extension SpoolFile {
    /// A process begins to watch. When the one before it ended without a word, one number of the events becomes a gap that
    /// stands for what that one had in hand and for what happened until now.
    package func begin(at now: Timestamp) throws(SQLError) {
        let life = try database.first("SELECT ended, time FROM life") { (row) throws(SQLError) in
            (ended: try row.integer(), time: Timestamp(milliseconds: try row.integer()))
        }
        if let life, life.ended == 0 {
            let reason = "the agent was killed; events from shortly before until it was back may be missing"
            try lose(.events, count: 1, times: min(life.time, now)...now, reason: reason)
        }
        try note(ended: false, at: now)
    }

    /// The process ends, and everything is written down.
    package func end(at now: Timestamp = .now()) throws(SQLError) { try note(ended: true, at: now) }

    private func note(ended: Bool, at now: Timestamp) throws(SQLError) {
        try database.transaction { () throws(SQLError) in
            try database.run("DELETE FROM life")
            try database.run("INSERT INTO life VALUES (?, ?)", [ended ? 1 : 0, now.milliseconds])
        }
    }
}
