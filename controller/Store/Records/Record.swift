import Model
import SQL
import WireProtocol

/// A row of one table as a value. The columns, the initialiser and `values` have the same order.
protocol Record: Sendable {
    static var table: String { get }
    /// The columns of the primary key.
    static var key: [String] { get }
    static var columns: [String] { get }
    init(row: inout any SQLRow) throws(SQLError)
    var values: [any SQLBindable] { get }
    /// The columns that lie sealed.
    static var sealedColumns: [SealedColumn<Self>] { get }
}

extension Record {
    static var insertion: String {
        let marks = columns.map { _ in "?" }.joined(separator: ", ")
        return "INSERT INTO \(table) (\(columns.joined(separator: ", "))) VALUES (\(marks))"
    }

    static var selection: String { "SELECT \(columns.joined(separator: ", ")) FROM \(table)" }

    /// Writes every column outside the primary key.
    static var update: String {
        let sets = columns.filter { !key.contains($0) }.map { "\($0) = ?" }.joined(separator: ", ")
        return "UPDATE \(table) SET \(sets) WHERE \(key.map { "\($0) = ?" }.joined(separator: " AND "))"
    }

    /// Insert, or overwrite the row with the same primary key.
    static var upsertion: String {
        let sets = columns.filter { !key.contains($0) }.map { "\($0) = excluded.\($0)" }
        return "\(insertion) ON CONFLICT (\(key.joined(separator: ", "))) DO UPDATE SET \(sets.joined(separator: ", "))"
    }

    /// The values in the order of `update`: the others first, the key last.
    var updateValues: [any SQLBindable] {
        zip(Self.columns, values).filter { !Self.key.contains($0.0) }.map(\.1) + keyValues
    }

    /// In the order of `key`.
    var keyValues: [any SQLBindable] {
        let pairs = Array(zip(Self.columns, values))
        return Self.key.compactMap { name in pairs.first { $0.0 == name }?.1 }
    }
}
