import SQL
import WireProtocol

/// Makes columns unreadable for whoever has the file and not the key. A sealed column holds `{"sealed": TEXT}`.
package struct ColumnSeal: Sendable {
    /// Names the key that seals now. Rows under another one are sealed anew by `Store.sealRows`.
    package var key: String
    /// Clear bytes and the place they are for: sealed text.
    package var seal: @Sendable (_ clear: [UInt8], _ place: [UInt8]) throws -> String
    /// The way back; throws for another place, another key, changed text.
    package var open: @Sendable (_ sealed: String, _ place: [UInt8]) throws -> [UInt8]

    package init(
        key: String, seal: @escaping @Sendable ([UInt8], [UInt8]) throws -> String,
        open: @escaping @Sendable (String, [UInt8]) throws -> [UInt8]
    ) {
        (self.key, self.seal, self.open) = (key, seal, open)
    }

    static let member = "sealed"
}

/// A column that lies sealed: how its clear value and its sealed text are read and written.
struct SealedColumn<Row> {
    let name: String
    /// Nil for what tells nothing and stays as it is.
    let clear: (Row) -> JSONValue?
    let setClear: (inout Row, JSONValue) -> Void
    let sealed: (Row) -> String?
    let setSealed: (inout Row, String) -> Void

    init(_ name: String, _ path: WritableKeyPath<Row, JSONObject>) {
        self.init(
            name, get: { .object($0[keyPath: path]) }, set: { $0[keyPath: path] = $1.asObject ?? [:] })
    }

    init(_ name: String, _ path: WritableKeyPath<Row, JSONValue>) {
        self.init(name, get: { $0[keyPath: path] }, set: { $0[keyPath: path] = $1 })
    }

    init(_ name: String, _ path: WritableKeyPath<Row, JSONValue?>) {
        self.init(name, get: { $0[keyPath: path] }, set: { $0[keyPath: path] = $1 })
    }

    /// A column of plain text.
    init(_ name: String, text path: WritableKeyPath<Row, String>) {
        self.init(
            name, clear: { $0[keyPath: path].isEmpty ? nil : .string($0[keyPath: path]) },
            setClear: { $0[keyPath: path] = $1.asString ?? "" },
            sealed: { row in
                guard row[keyPath: path].utf8.starts(with: "{\"\(ColumnSeal.member)\"".utf8) else { return nil }
                return ColumnSeal.text(in: try? JSONParser.parse(row[keyPath: path], limits: .local))
            },
            setSealed: { $0[keyPath: path] = ColumnSeal.object($1).text })
    }

    private init(_ name: String, get: @escaping (Row) -> JSONValue?, set: @escaping (inout Row, JSONValue) -> Void) {
        self.init(
            name,
            clear: { row in
                switch get(row) {
                case nil, .null: return nil
                case .object(let object)? where object.isEmpty: return nil
                case let value: return value
                }
            }, setClear: set, sealed: { ColumnSeal.text(in: get($0)) }, setSealed: { set(&$0, ColumnSeal.object($1)) })
    }

    private init(
        _ name: String, clear: @escaping (Row) -> JSONValue?, setClear: @escaping (inout Row, JSONValue) -> Void,
        sealed: @escaping (Row) -> String?, setSealed: @escaping (inout Row, String) -> Void
    ) {
        self.name = name
        self.clear = clear
        self.setClear = setClear
        self.sealed = sealed
        self.setSealed = setSealed
    }
}

extension ColumnSeal {
    fileprivate static func object(_ text: String) -> JSONValue { [member: .string(text)] }

    fileprivate static func text(in value: JSONValue?) -> String? {
        guard case .object(let object)? = value, object.count == 1 else { return nil }
        return object[member]?.asString
    }
}

extension Record {
    static var sealedColumns: [SealedColumn<Self>] { [] }

    /// As it goes to the file. What is empty tells nothing and stays.
    func sealed(with seal: ColumnSeal?) throws(StoreError) -> Self {
        guard let seal else { return self }
        var row = self
        for column in Self.sealedColumns {
            guard let clear = column.clear(self) else { continue }
            do {
                column.setSealed(&row, try seal.seal(clear.encoded, place(of: column)))
            } catch {
                throw .failed("\(column.name) of \(Self.table) cannot be sealed: \(error)")
            }
        }
        return row
    }

    /// As it is used. What was written before there was a key is read as it is.
    func opened(with seal: ColumnSeal?) throws(StoreError) -> Self {
        var row = self
        for column in Self.sealedColumns {
            guard let text = column.sealed(self) else { continue }
            guard let seal else { throw .failed("\(column.name) of \(Self.table) is sealed and the key is not here") }
            do {
                column.setClear(&row, try JSONParser.parse(seal.open(text, place(of: column)), limits: .local))
            } catch { throw .corrupt("\(column.name) of \(Self.table) cannot be opened: \(error)") }
        }
        return row
    }

    /// Table, column and primary key: sealed text that is put into another row does not open there.
    private func place(of column: SealedColumn<Self>) -> [UInt8] {
        var place = Array("\(Self.table)\u{0}\(column.name)".utf8)
        for (name, value) in zip(Self.columns, values) where Self.key.contains(name) {
            switch value.sqlValue {
            case .text(let text): place += [0] + text.utf8
            case .integer(let number): place += [0] + "\(number)".utf8
            default: break
            }
        }
        return place
    }
}

extension Store {
    private static let keySetting = "secrets.key"
    /// Which columns are sealed: a version that seals more than the one before seals once more what is there.
    private static let columnsSetting = "secrets.columns"
    private static let columns = "2"

    /// Whether there may be rows that only their key opens.
    package func isSealed() throws(StoreError) -> Bool { try setting(Self.keySetting) != nil }

    /// Seals what lies in clear or under an older key, once for each key, and clears away what was written of it before.
    /// Call it at start, after the key was changed too. Returns how many rows were written.
    @discardableResult
    package func sealRows() throws(StoreError) -> Int {
        guard let sealKey = database.sealKey else { return 0 }
        let (key, columns) = (try setting(Self.keySetting), try setting(Self.columnsSetting))
        guard key != sealKey || columns != Self.columns else { return 0 }
        let count = try transaction { () throws(StoreError) in
            // Answers were kept in clear, and they are of a day.
            let rows =
                try run("DELETE FROM idempotency") + forgetArguments() + sealAll(PlanRecord.self)
                + sealAll(ServiceRecord.self) + sealAll(OperationRecord.self) + sealAll(OutputRecord.self)
                + sealAll(JournalRecord.self) + sealAll(CommandRecord.self) + sealAll(IntegrationRecord.self)
                + sealAll(OutboxRecord.self) + sealAll(WebhookRecord.self) + sealAll(QueueRequestRecord.self)
            try setSetting(Self.keySetting, sealKey)
            try setSetting(Self.columnsSetting, Self.columns)
            return rows
        }
        guard count > 0 else { return 0 }
        try database.clearRemains()
        return count
    }

    private static var batch: Int { 500 }

    /// Row by row in the order of their keys, since a journal may be larger than memory.
    private func sealAll<Row: Record>(_ type: Row.Type) throws(StoreError) -> Int {
        let key = Row.key.joined(separator: ", ")
        let marks = Row.key.map { _ in "?" }.joined(separator: ", ")
        var (count, last) = (0, [any SQLBindable]())
        while true {
            let rest = "\(last.isEmpty ? "" : "WHERE (\(key)) > (\(marks)) ")ORDER BY \(key) LIMIT \(Self.batch)"
            let records = try select(type, rest, last)
            for record in records where Row.sealedColumns.contains(where: { $0.clear(record) != nil }) {
                try overwrite(record)
                count += 1
            }
            guard records.count == Self.batch, let end = records.last else { return count }
            last = end.keyValues
        }
    }

    /// Commands were kept with their arguments.
    private func forgetArguments() throws(StoreError) -> Int {
        var count = 0
        let holding = "WHERE body LIKE '%\"arguments\"%'"
        for var command in try select(CommandRecord.self, holding) where command.body["arguments"] != nil {
            command.body["arguments"] = nil
            try overwrite(command)
            count += 1
        }
        return count
    }
}
