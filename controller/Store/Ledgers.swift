import Metering
import SQL
import WireProtocol

/// Which numbers of the nodes' streams are stored, in memory and, once they are written, in their rows.
final class Ledgers {
    fileprivate struct Key: Hashable {
        let node: String
        let stream: IntakeStream
    }

    /// One node's, to go back to when its report fails.
    struct Snapshot {
        fileprivate let ledgers: [Key: SequenceLedger]
    }

    private let database: Database
    private var known: [Key: SequenceLedger] = [:]
    /// Those that differ from their rows.
    private var changed: Set<Key> = []

    init(_ database: Database) { self.database = database }

    subscript(node: String, stream: IntakeStream) -> SequenceLedger {
        get throws(StoreError) { try ledger(Key(node: node, stream: stream)) }
    }

    func put(_ ledger: SequenceLedger, _ node: String, _ stream: IntakeStream) {
        put(ledger, Key(node: node, stream: stream))
    }

    /// Notes that a number has come. False when it had come before.
    func take(_ seq: Int64, _ node: String, _ stream: IntakeStream) throws(StoreError) -> Bool {
        let key = Key(node: node, stream: stream)
        var ledger = try ledger(key)
        guard ledger.insert(seq) else { return false }
        put(ledger, key)
        return true
    }

    /// Whether the number has neither come nor been given up.
    func awaits(_ seq: Int64, _ node: String, _ stream: IntakeStream) throws(StoreError) -> Bool {
        try !self[node, stream].missing(in: seq...seq).isEmpty
    }

    /// Waits no more for these numbers. Returns those of them that had not come.
    func skip(
        _ seqs: ClosedRange<Int64>, _ node: String, _ stream: IntakeStream
    ) throws(StoreError) -> [ClosedRange<Int64>] {
        var ledger = try self[node, stream]
        let missing = ledger.missing(in: seqs)
        ledger.skip(seqs)
        put(ledger, node, stream)
        return missing
    }

    func snapshot(of node: String) throws(StoreError) -> Snapshot {
        var mine: [Key: SequenceLedger] = [:]
        for stream in IntakeStream.allCases {
            let key = Key(node: node, stream: stream)
            mine[key] = try ledger(key)
        }
        return Snapshot(ledgers: mine)
    }

    func restore(_ snapshot: Snapshot) { known.merge(snapshot.ledgers) { $1 } }

    /// Brings the rows up to date.
    func write() throws(StoreError) {
        let sql = """
            INSERT INTO positions (node, stream, position, beyond) VALUES (?, ?, ?, ?)
            ON CONFLICT (node, stream) DO UPDATE SET position = excluded.position, beyond = excluded.beyond
            """
        for key in changed {
            guard let ledger = known[key] else { continue }
            try database.run(sql, [key.node, key.stream.rawValue, ledger.position, ledger.beyond.columnText])
        }
        changed = []
    }

    func forget(_ node: String) {
        for stream in IntakeStream.allCases {
            let key = Key(node: node, stream: stream)
            known[key] = nil
            changed.remove(key)
        }
    }

    func forgetAll() { (known, changed) = ([:], []) }

    private func put(_ ledger: SequenceLedger, _ key: Key) {
        known[key] = ledger
        changed.insert(key)
    }

    private func ledger(_ key: Key) throws(StoreError) -> SequenceLedger {
        if let ledger = known[key] { return ledger }
        let sql = "SELECT position, beyond FROM positions WHERE node = ? AND stream = ?"
        let stored = try database.row(sql, [key.node, key.stream.rawValue]) { (row) throws(SQLError) in
            SequenceLedger(position: try row.optionalInteger(), beyond: try row.ranges())
        }
        let ledger = stored ?? SequenceLedger()
        known[key] = ledger
        return ledger
    }
}

extension [ClosedRange<Int64>] {
    /// Pairs of numbers, flat.
    fileprivate var columnText: String {
        JSONValue.array(flatMap { [.integer($0.lowerBound), .integer($0.upperBound)] }).text
    }
}

extension SQLRow {
    fileprivate mutating func ranges() throws(SQLError) -> [ClosedRange<Int64>] {
        guard case .array(let items) = try json(), items.count.isMultiple(of: 2) else {
            throw .unreadable("a position holds no ranges")
        }
        var ranges: [ClosedRange<Int64>] = []
        for index in stride(from: 0, to: items.count, by: 2) {
            guard let low = items[index].asInteger, let high = items[index + 1].asInteger, low <= high,
                low > ranges.last?.upperBound ?? .min
            else { throw .unreadable("a position holds no ranges") }
            ranges.append(low...high)
        }
        return ranges
    }
}
