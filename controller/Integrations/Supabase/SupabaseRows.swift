import ControllerCore
import IntegrationKit
import WireProtocol

extension TablePort {
    static func supabase(_ client: SupabaseClient) -> TablePort {
        TablePort(
            has: { table, columns throws(PortError) in try await client.has(table, columns) },
            rows: { table, columns, filters, after, limit throws(PortError) in
                try await client.rows(table, columns, filters, after: after, limit: limit)
            },
            update: { table, id, fields, filters throws(PortError) in
                try await client.update(table, id, fields, filters)
            })
    }
}

/// Names as they may stand in a path or a query: much of what may be a name in PostgreSQL would be read as something else there.
enum TableNames {
    static let expectation = "a name of 1 to 63 letters, digits and _, that begins with a letter or _"
    /// Words of the query; `apikey` is the gateway's.
    private static let reserved: Set<String> = [
        "select", "order", "limit", "offset", "columns", "on_conflict", "and", "or", "not", "apikey",
    ]

    static func isPlain(_ name: String) -> Bool {
        let isLetter: (UInt8) -> Bool = { (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x5F }
        guard let first = name.utf8.first, isLetter(first), name.utf8.count <= 63 else { return false }
        return name.utf8.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) }
    }

    static func check(_ table: TablePort.Table, _ columns: [String], filters: [String] = []) throws(PortError) {
        for name in [table.name, table.key] + columns + filters where !isPlain(name) {
            throw PortError(.refused, "\(name.quotable) must be \(expectation)")
        }
        for name in [table.key] + filters where reserved.contains(name) {
            throw PortError(.refused, "a column \(name) cannot be asked for its values: it is a word of the API's own")
        }
    }
}

extension SupabaseClient {
    fileprivate func has(_ table: TablePort.Table, _ columns: [String]) async throws(PortError) -> Bool {
        try TableNames.check(table, columns)
        let query = [("select", Self.list([table.key] + columns)), ("limit", "1")]
        return try await call(table.name, query, "table \(table.name)") != .noTable
    }

    fileprivate func rows(
        _ table: TablePort.Table, _ columns: [String], _ filters: JSONObject, after: JSONValue?, limit: Int
    ) async throws(PortError) -> [JSONObject] {
        try TableNames.check(table, columns, filters: filters.keys)
        guard (1...1000).contains(limit) else { throw PortError(.refused, "a page has 1 to 1000 rows") }
        let what = "rows of \(table.name)"
        var query = [(name: "select", value: Self.list([table.key] + columns + filters.keys))]
        query += try Self.conditions(filters)
        if let after { query.append((table.key, "gt.\(try Self.text(after))")) }
        query += [("order", "\(table.key).asc"), ("limit", "\(limit)")]
        guard case .rows(let rows) = try known(try await call(table.name, query, what), table) else {
            throw PortError(.silent, "\(what): the answer is no list of rows")
        }
        // A gateway that loses the query gives all there is, and each would be taken for one that was asked for.
        guard rows.count <= limit, rows.allSatisfy({ $0.holds(filters) }),
            rows.allSatisfy({ $0[table.key] != nil && $0[table.key] != after })
        else { throw PortError(.refused, "\(what): there are rows in the answer that were not asked for") }
        let wanted = Set([table.key] + columns)
        return rows.map { row in
            JSONObject(row.members.filter { wanted.contains($0.key) }.map { ($0.key, $0.value) })
        }
    }

    fileprivate func update(
        _ table: TablePort.Table, _ id: JSONValue, _ fields: JSONObject, _ filters: JSONObject
    ) async throws(PortError) -> Int {
        try TableNames.check(table, fields.keys, filters: filters.keys)
        guard !fields.isEmpty, fields[table.key] == nil else {
            throw PortError(.refused, "a change of a row of \(table.name) is of columns other than \(table.key)")
        }
        let what = "row \(try Self.text(id).quotable) of \(table.name)"
        var query = [(name: "select", value: table.key), (name: table.key, value: "eq.\(try Self.text(id))")]
        query += try Self.conditions(filters)
        do throws(PortError) {
            let count: Int
            switch try known(try await call(table.name, query, fields: fields, what), table) {
            case .rows(let rows): count = rows.count
            case .changed(let number): count = number
            default: throw PortError(.silent, "\(what): the answer does not tell whether it was changed")
            }
            // Of an API that does not know `max-affected` yet.
            guard count <= 1 else {
                throw PortError(.refused, "\(what): \(count) rows have this key, and were changed")
            }
            return count
        } catch {
            guard error.kind == .silent else { throw error }
            // Nobody knows whether it was committed: the row does.
            guard let there = try? await rows(table, fields.keys, [table.key: id], after: nil, limit: 1) else {
                throw error
            }
            guard let row = there.first else { return 0 }
            guard row.holds(fields) else { throw error }
            return 1
        }
    }

    private func known(
        _ answer: SupabaseAnswer, _ table: TablePort.Table
    ) throws(PortError) -> SupabaseAnswer {
        guard answer != .noTable else {
            throw PortError(
                .refused,
                "the schema \(settings.schema) shows no table \(table.name); one that is new is seen after NOTIFY pgrst, 'reload schema'"
            )
        }
        return answer
    }

    private static func list(_ columns: [String]) -> String {
        var seen: Set<String> = []
        return columns.filter { seen.insert($0).inserted }.joined(separator: ",")
    }

    private static func conditions(_ filters: JSONObject) throws(PortError) -> [(name: String, value: String)] {
        var conditions: [(name: String, value: String)] = []
        for filter in filters.members {
            // Nothing is equal to null.
            let isPlain = !filter.value.isNull && filter.value.asBool == nil
            conditions.append((filter.key, "\(isPlain ? "eq" : "is").\(try text(filter.value))"))
        }
        return conditions
    }

    private static func text(_ value: JSONValue) throws(PortError) -> String {
        switch value {
        case .null: return "null"
        case .bool(let value): return "\(value)"
        case .integer(let value): return "\(value)"
        case .string(let text) where text.utf8.count <= 1000 && !text.utf8.contains(0): return text
        default:
            throw PortError(
                .refused, "a row is asked for by texts of at most 1000 bytes, whole numbers, true, false and null")
        }
    }
}

extension JSONObject {
    /// Whether these columns have these values, as the database compares them: uuids and texts of some types have no case, numbers may
    /// be given as texts, and texts of a fixed length come with blanks.
    fileprivate func holds(_ values: JSONObject) -> Bool {
        values.members.allSatisfy { member in
            guard let value = self[member.key] else { return false }
            return value == member.value || value.folded != nil && value.folded == member.value.folded
        }
    }
}

extension JSONValue {
    /// Nil of what is neither text nor number.
    fileprivate var folded: String? {
        if let number = asInteger { return "\(number)" }
        guard let text = asString?.lowercased() else { return nil }
        let end = text.lastIndex { $0 != " " }
        return end.map { String(text[...$0]) } ?? ""
    }
}
