package import Model
import SQL

/// Backups of services. Those of the store itself are in `Store+Backup`.
extension Store {
    package static var backupFinding: String { "service.backup_missing" }
    package static var unverifiedFinding: String { "service.backup_unverified" }
    /// What is wrong with one of them, for as long as it has it.
    package static var backupFindings: [String] { [backupFinding, unverifiedFinding] }
    package static var overdueFinding: String { "service.backup_overdue" }

    package static func backupSubject(_ id: String) -> String { "backup/\(id)" }

    /// The oldest first.
    package func backups(service: String) throws(StoreError) -> [BackupRecord] {
        try select(BackupRecord.self, "WHERE service = ? ORDER BY made_at, id", [service])
    }

    package func backup(_ id: String) throws(StoreError) -> BackupRecord? {
        try first(BackupRecord.self, "WHERE id = ?", [id])
    }

    /// Those that are to be looked for, the longest overdue first.
    package func backups(dueBy time: Timestamp, limit: Int) throws(StoreError) -> [BackupRecord] {
        try select(BackupRecord.self, "WHERE due_at <= ? ORDER BY due_at, id LIMIT ?", [time, limit])
    }

    /// Of the service, among those that are on their storage; nil where there is none.
    package func newestBackup(service: String) throws(StoreError) -> BackupRecord? {
        try first(
            BackupRecord.self, "WHERE service = ? AND state = ? ORDER BY made_at DESC, id DESC LIMIT 1",
            [service, BackupRecord.State.available.rawValue])
    }

    /// One that is there already stays as it is.
    package func insertBackup(_ record: BackupRecord) throws(StoreError) {
        try transaction { () throws(StoreError) in
            let sql = "\(BackupRecord.insertion) ON CONFLICT DO NOTHING"
            guard try run(sql, record.values) > 0 else { return }
            note(.service, record.service, service: record.service)
        }
    }

    /// Reads, changes and writes one. Nil where there is none.
    @discardableResult
    package func updateBackup(
        _ id: String, _ change: @Sendable (inout BackupRecord) -> Void
    ) throws(StoreError) -> BackupRecord? {
        try transaction { () throws(StoreError) in
            guard let before = try backup(id) else { return nil }
            var record = before
            change(&record)
            (record.id, record.service) = (id, before.service)
            guard record != before else { return record }
            try overwrite(record)
            if record.state != before.state { note(.service, record.service, service: record.service) }
            return record
        }
    }

    /// Takes it off the books. What lies on its storage is gone already, or stays there.
    package func removeBackup(_ id: String, at time: Timestamp) throws(StoreError) {
        try transaction { () throws(StoreError) in
            guard let record = try backup(id) else { return }
            _ = try run("DELETE FROM backups WHERE id = ?", [id])
            for kind in Self.backupFindings {
                try resolve(kind, subject: Self.backupSubject(id), by: "controller", at: time)
            }
            note(.service, record.service, service: record.service)
        }
    }

    /// Whether another service is being made of it.
    package func isHeld(_ record: BackupRecord) throws(StoreError) -> Bool {
        guard let holder = record.heldBy, let operation = try operation(holder) else { return false }
        return !operation.state.isFinished
    }

    /// Part of giving back all that a service holds.
    func forgetBackups(of service: String, at time: Timestamp) throws(StoreError) {
        for backup in try backups(service: service) { try removeBackup(backup.id, at: time) }
        try resolve(Self.overdueFinding, subject: "service/\(service)", by: "controller", at: time)
    }
}
