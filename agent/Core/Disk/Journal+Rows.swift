import Model
import SQL
import SQLite
import WireProtocol

extension Journal {
    static let columns =
        "id, digest, resource, driver, operation, generation, state, accepted, started, result, acknowledged IS NOT NULL"

    func admit(_ request: ReceiptRequest) throws(SQLError) -> Admission {
        let last = try database.first("SELECT generation FROM generations WHERE resource = ?", [request.resource]) {
            (row) throws(SQLError) in try row.integer()
        }
        let admission = ReceiptRules.admission(of: request, existing: try find(request.id), lastGeneration: last)
        if admission == .admitted { try insert(request) }
        return admission
    }

    func begin(_ id: String, _ time: Timestamp) throws(SQLError) {
        let sql = "UPDATE receipts SET state = 'running', started = ? WHERE id = ? AND state = 'accepted'"
        try database.run(sql, [time.milliseconds, id])
    }

    /// The first end stands: a receipt that is final already is left as it is.
    func finish(_ id: String, _ result: CommandResult) throws(SQLError) {
        let state = ReceiptState(rawValue: result.status.code) ?? .failed
        let sql = "UPDATE receipts SET state = ?, result = ? WHERE id = ? AND state IN ('accepted', 'running')"
        try database.run(sql, [state.rawValue, Self.encode(result), id])
    }

    func acknowledge(_ id: String, _ time: Timestamp) throws(SQLError) {
        let sql = """
            UPDATE receipts SET acknowledged = ?
            WHERE id = ? AND acknowledged IS NULL AND state NOT IN ('accepted', 'running')
            """
        try database.run(sql, [time.milliseconds, id])
        try forgetSecrets(of: id)
    }

    /// What a command has given back in secret is the controller's now, and sealed there; here nobody needs it any more.
    private func forgetSecrets(of id: String) throws(SQLError) {
        let sql = "SELECT 1 FROM receipts WHERE id = ? AND instr(result, ?) > 0"
        let name = Array("\"secrets\":".utf8)
        let mayHave = try database.first(sql, [id, name]) { (row) throws(SQLError) in try row.bool() }
        guard mayHave == true, var result = try find(id)?.result, result.observed["secrets"] != nil else { return }
        result.observed["secrets"] = nil
        try database.run("UPDATE receipts SET result = ? WHERE id = ?", [Self.encode(result), id])
    }

    func find(_ id: String) throws(SQLError) -> Receipt? {
        try database.first("SELECT \(Self.columns) FROM receipts WHERE id = ?", [id]) { (row) throws(SQLError) in
            try Self.read(&row)
        }
    }

    private func insert(_ request: ReceiptRequest) throws(SQLError) {
        let sql = """
            INSERT INTO receipts (id, digest, resource, driver, operation, generation, state, accepted, started)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """
        let state = request.begins ? ReceiptState.running : .accepted
        let time = request.time.milliseconds
        try database.run(
            sql,
            [
                request.id, request.digest, request.resource, request.driver, request.operation, request.generation,
                state.rawValue, time, request.begins ? time : nil as Int64?,
            ])
        let newest = """
            INSERT INTO generations (resource, generation) VALUES (?, ?)
            ON CONFLICT (resource) DO UPDATE SET generation = excluded.generation
            """
        try database.run(newest, [request.resource, request.generation])
    }

    static func read(_ row: inout SQLiteRow) throws(SQLError) -> Receipt {
        let id = try row.text(), digest = try row.text(), resource = try row.text(), driver = try row.text()
        let operation = try row.text(), generation = try row.integer(), state = try row.text()
        let accepted = Timestamp(milliseconds: try row.integer())
        let started = try row.optionalInteger().map(Timestamp.init(milliseconds:))
        let result = try row.optionalBlob()
        guard let known = ReceiptState(rawValue: state) else {
            throw SQLError(kind: .corrupt, message: "receipt \(id) is in the unknown state \(state)")
        }
        return Receipt(
            id: id, digest: digest, resource: resource, driver: driver, operation: operation, generation: generation,
            state: known, accepted: accepted, started: started,
            result: try result.map { (bytes) throws(SQLError) in
                try decode(bytes, of: id)
            }, acknowledged: try row.bool())
    }

    private static func encode(_ result: CommandResult) -> [UInt8] {
        var bytes: [UInt8] = []
        AgentMessage.result(result).encode(into: &bytes)
        return bytes
    }

    private static func decode(_ bytes: [UInt8], of id: String) throws(SQLError) -> CommandResult {
        guard case .result(let result)? = try? AgentMessage(decoding: bytes) else {
            throw SQLError(kind: .corrupt, message: "the result of receipt \(id) cannot be read")
        }
        return result
    }
}
