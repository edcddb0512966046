import Dispatch
import DriverKit
import SQL
import SQLite

/// The panel's own database, only ever read: each look opens it read-only, asks, and closes it at once, so that the
/// panel is never kept waiting for longer than one answer takes.
///
/// Nobody documents its tables. Columns that a version of the panel does not have read as absent; passwords and keys are
/// never among the columns asked for.
struct PanelDatabase: Sendable {
    let path: String

    typealias Row = [String: String]

    /// Some columns of all rows of some tables; a table that is not there has no rows.
    /// - Parameter needed: tables without which nothing can be said.
    func rows(
        _ tables: [(name: String, columns: [String])], needed: Set<String>
    ) async throws(DriverError) -> [String: [Row]] {
        let wanted = tables.map { Wanted(name: $0.name, columns: $0.columns) }
        let path = self.path
        let result: Result<[String: [Row]], SQLError> = await withCheckedContinuation { done in
            // Waits for locks: not on a thread that others need.
            DispatchQueue.global().async {
                do throws(SQLError) {
                    done.resume(returning: .success(try Self.read(path, wanted)))
                } catch { done.resume(returning: .failure(error)) }
            }
        }
        switch result {
        case .success(let found):
            if let missing = needed.first(where: { found[$0] == nil }) {
                throw DriverError(.unsupported, "the panel's database has no table \(missing)")
            }
            return found
        case .failure(let error): throw DriverError(error)
        }
    }

    private struct Wanted: Sendable {
        let name: String
        let columns: [String]
    }

    private static func read(_ path: String, _ tables: [Wanted]) throws(SQLError) -> [String: [Row]] {
        let database = try SQLiteDatabase(
            path: path, options: SQLiteOptions(access: .readOnly, busyTimeout: .seconds(5), cacheKiB: 256))
        defer { database.close() }
        var found: [String: [Row]] = [:]
        // One transaction: what is told of a site and of its certificate is from the same moment.
        try database.execute("BEGIN")
        for table in tables {
            let known = try database.query("SELECT name FROM pragma_table_info('\(table.name)')") {
                (row) throws(SQLError) in try row.text()
            }
            if known.isEmpty { continue }
            let columns = table.columns.filter(known.contains)
            let order = known.contains("id") ? " ORDER BY id" : ""
            let list = columns.map { "CAST(\"\($0)\" AS TEXT)" }.joined(separator: ", ")
            found[table.name] =
                columns.isEmpty
                ? []
                : try database.query("SELECT \(list) FROM \"\(table.name)\"\(order)") {
                    (row) throws(SQLError) in
                    var values: Row = [:]
                    for column in columns { values[column] = try row.optionalText() }
                    return values
                }
        }
        try database.execute("COMMIT")
        return found
    }
}

extension DriverError {
    fileprivate init(_ error: SQLError) {
        switch error.kind {
        case .busy: self.init(.busy, "the panel is writing to its database", cause: error.message)
        case .cannotOpen: self.init(.unavailable, "the panel's database cannot be opened", cause: error.message)
        case .corrupt, .notADatabase: self.init(.failed, "the panel's database is damaged", cause: error.message)
        // A journal that the panel left behind: only the panel itself may roll it back.
        case .readOnly:
            self.init(.unavailable, "the panel has to repair its database first", cause: error.message)
        default: self.init(.failed, "the panel's database cannot be read", cause: error.message)
        }
    }
}
