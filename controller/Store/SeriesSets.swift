import Metering
import SQL
import WireProtocol

/// What a row of a series set needs: the set's number and how many values it has.
struct SeriesEntry: Hashable {
    let number: Int64
    let count: Int
    /// Where the share of idle processors stands, in sets that have it.
    let idle: Int?

    init(number: Int64, names: [String]) {
        self.number = number
        count = names.count
        idle = names.firstIndex(of: MeasuredLoads.series)
    }
}

/// How much the series sets of one node may become. A node makes a new set whenever what it measures changes, and a set stays
/// as long as anything that was measured with it: an ordinary node has some hundreds, one whose guests come and go all day some
/// thousands.
package struct SeriesLimit: Sendable, Hashable {
    package var sets = 10_000
    /// Length of their names.
    package var bytes = 64 << 20
}

/// The names of what nodes measure, in their rows and, as far as they were used lately, in memory.
final class SeriesSets {
    /// A set by its node and the node's name for it.
    private struct Key: Hashable {
        let node: String
        let set: String
    }

    /// What the sets of one node take.
    private struct Use {
        var sets = 0
        var bytes = 0
    }

    /// Entries kept in memory; past it they are read again.
    private static let entryLimit = 50_000

    private let database: Database
    private let limit: SeriesLimit
    private var entries: [Key: SeriesEntry] = [:]
    private var uses: [String: Use] = [:]

    init(_ database: Database, limit: SeriesLimit) { (self.database, self.limit) = (database, limit) }

    /// Learns the names of a set, as long as there is room for one more of the node. The same set must not come back with other
    /// names: stored rows rest on them.
    func register(_ set: SeriesSet, of node: String) throws(StoreError) {
        guard !set.set.isEmpty, set.set.utf8.count <= 64, !set.names.isEmpty,
            set.names.count <= PackedRow.maximumValues, set.names.allSatisfy({ $0.utf8.count <= 512 })
        else { throw .invalid("the series set \(set.set.prefix(64)) of \(node) is empty or too large") }
        let names = set.names.columnText
        let sql = "SELECT number, names FROM metric_series WHERE node = ? AND name_set = ?"
        let stored = try database.row(sql, [node, set.set]) { (row) throws(SQLError) in
            (number: try row.integer(), names: try row.text())
        }
        guard stored == nil || stored?.names == names else {
            throw .invalid("\(node) gave the series set \(set.set) two meanings")
        }
        var number = stored?.number ?? 0
        if stored == nil {
            guard try hasRoom(node) else { return }
            number = try insert(node, set.set, names)
        }
        remember(Key(node: node, set: set.set), SeriesEntry(number: number, names: set.names))
    }

    /// Nil for a set that was not learnt.
    func entry(of set: String, _ node: String) throws(StoreError) -> SeriesEntry? {
        let key = Key(node: node, set: set)
        if let entry = entries[key] { return entry }
        let sql = "SELECT number, names FROM metric_series WHERE node = ? AND name_set = ?"
        let entry = try database.row(sql, [node, set]) { (row) throws(SQLError) in
            SeriesEntry(number: try row.integer(), names: try row.strings())
        }
        if let entry { remember(key, entry) }
        return entry
    }

    /// Whether one more set of the node may be learnt.
    func hasRoom(_ node: String) throws(StoreError) -> Bool {
        let use = try use(of: node)
        return use.sets < limit.sets && use.bytes < limit.bytes
    }

    func count(of node: String) throws(StoreError) -> Int { try use(of: node).sets }

    /// Removes sets without anything left. Those in memory may get their first sample any moment and stay. Returns how many.
    func prune() throws(StoreError) -> Int {
        let sql = """
            SELECT number FROM metric_series WHERE NOT EXISTS (SELECT 1 FROM metric_rows WHERE series = number)
                AND NOT EXISTS (SELECT 1 FROM metric_chunks WHERE series = number)
                AND NOT EXISTS (SELECT 1 FROM metric_rollups WHERE series = number)
            """
        let inUse = Set(entries.values.map(\.number))
        let dead = try database.rows(sql) { (row) throws(SQLError) in try row.integer() }
            .filter { !inUse.contains($0) }
        for number in dead { try database.run("DELETE FROM metric_series WHERE number = ?", [number]) }
        if !dead.isEmpty { uses = [:] }
        return dead.count
    }

    /// After these sets of a report could not be stored.
    func forget(_ sets: [SeriesSet], of node: String) {
        uses[node] = nil
        for set in sets { entries[Key(node: node, set: set.set)] = nil }
    }

    func forget(_ node: String) {
        entries = entries.filter { $0.key.node != node }
        uses[node] = nil
    }

    func forgetAll() { (entries, uses) = ([:], [:]) }

    private func insert(_ node: String, _ set: String, _ names: String) throws(StoreError) -> Int64 {
        var use = try use(of: node)
        let sql = """
            INSERT INTO metric_series (number, node, name_set, names)
            SELECT coalesce(max(number), 0) + 1, ?, ?, ? FROM metric_series RETURNING number
            """
        let number = try database.row(sql, [node, set, names]) { (row) throws(SQLError) in try row.integer() }
        use.sets += 1
        use.bytes += names.utf8.count
        uses[node] = use
        return number ?? 0
    }

    private func use(of node: String) throws(StoreError) -> Use {
        if let use = uses[node] { return use }
        let sql = "SELECT count(*), coalesce(sum(length(names)), 0) FROM metric_series WHERE node = ?"
        let stored = try database.row(sql, [node]) { (row) throws(SQLError) in
            Use(sets: Int(try row.integer()), bytes: Int(try row.integer()))
        }
        let use = stored ?? Use()
        uses[node] = use
        return use
    }

    private func remember(_ key: Key, _ entry: SeriesEntry) {
        if entries.count >= Self.entryLimit { entries = [:] }
        entries[key] = entry
    }
}
