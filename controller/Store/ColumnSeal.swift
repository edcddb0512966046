import SQLite
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

/// A column that lies sealed.
struct SealedColumn<Row> {
    let name: String
    let path: WritableKeyPath<Row, JSONObject>

    init(_ name: String, _ path: WritableKeyPath<Row, JSONObject>) { (self.name, self.path) = (name, path) }
}

extension Record {
    static var sealedColumns: [SealedColumn<Self>] { [] }

    /// As it goes to the file. An empty object tells nothing and stays.
    func sealed(with seal: ColumnSeal?) throws(StoreError) -> Self {
        guard let seal else { return self }
        var row = self
        for column in Self.sealedColumns where !self[keyPath: column.path].isEmpty {
            let clear = Array(self[keyPath: column.path].text.utf8)
            do {
                row[keyPath: column.path] = [ColumnSeal.member: .string(try seal.seal(clear, place(of: column)))]
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
            let object = self[keyPath: column.path]
            guard object.count == 1, let text = object[ColumnSeal.member]?.asString else { continue }
            guard let seal else { throw .failed("\(column.name) of \(Self.table) is sealed and the key is not here") }
            do {
                let clear = try JSONParser.parse(seal.open(text, place(of: column)), limits: .local)
                row[keyPath: column.path] = clear.asObject ?? [:]
            } catch { throw .corrupt("\(column.name) of \(Self.table) cannot be opened: \(error)") }
        }
        return row
    }

    /// Table, column and primary key: sealed text that is put into another row does not open there.
    private func place(of column: SealedColumn<Self>) -> [UInt8] {
        var place = Array("\(Self.table)\u{0}\(column.name)".utf8)
        for (name, value) in zip(Self.columns, values) where Self.key.contains(name) {
            switch value.sqliteValue {
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

    /// Whether there may be rows that only their key opens.
    package func isSealed() throws(StoreError) -> Bool { try setting(Self.keySetting) != nil }

    /// Seals what lies in clear or under an older key, once for each key, and clears away what was written of it before.
    /// Call it at start, after the key was changed too. Returns how many rows were written.
    @discardableResult
    package func sealRows() throws(StoreError) -> Int {
        guard let columnSeal, try setting(Self.keySetting) != columnSeal.key else { return 0 }
        let count = try transaction { () throws(StoreError) in
            let rows =
                try sealAll(PlanRecord.self) + sealAll(ServiceRecord.self) + sealAll(OperationRecord.self)
                + sealAll(OutputRecord.self)
                + forgetArguments()
            try setSetting(Self.keySetting, columnSeal.key)
            return rows
        }
        guard count > 0 else { return 0 }
        // Free pages and the log still hold what was there.
        try run("VACUUM")
        _ = try rows("PRAGMA wal_checkpoint(TRUNCATE)") { _ in }
        return count
    }

    private func sealAll<Row: Record>(_ type: Row.Type) throws(StoreError) -> Int {
        let records = try select(type, "")
        for record in records { try overwrite(record) }
        return records.count
    }

    /// Orders were kept with their arguments, and answers with what they answered.
    private func forgetArguments() throws(StoreError) -> Int {
        var count = try run("DELETE FROM idempotency")
        for var command in try select(CommandRecord.self, "") where command.body["arguments"] != nil {
            command.body["arguments"] = nil
            try overwrite(command)
            count += 1
        }
        return count
    }
}
