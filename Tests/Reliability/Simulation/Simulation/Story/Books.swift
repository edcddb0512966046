import Metering
import Model
import SQL
import SQLite
import WireProtocol

/// What the controller's store says in the end, read straight from its file.
struct Books {
    struct Service {
        let id: String, externalID: String?, product: String, state: String, node: String?, spec: JSONObject
    }

    struct Operation {
        let id: String, service: String?, kind: String, state: String, error: String?
    }

    struct Allocation {
        let kind: String, scope: String, value: String, node: String?, service: String
    }

    struct Command {
        let id: String, node: String, state: String, result: JSONObject?
    }

    struct Sample {
        let node: String, time: Int64, number: Int
    }

    struct Gap {
        let node: String, kind: String, seqs: ClosedRange<Int64>, times: ClosedRange<Int64>
    }

    let services: [Service]
    let operations: [Operation]
    let allocations: [Allocation]
    let reservations: [String: String]
    /// Names of the backups that can be relied on, by service.
    let backups: [String: [String]]
    let commands: [Command]
    let samples: [Sample]
    let gaps: [Gap]
    /// The numbers of the events, as their source counted them, by node.
    let events: [String: [Int64]]
    /// The newest reading, by node.
    let usage: [String: Int64]

    init(path: String) throws {
        let database = try SQLiteDatabase(path: path)
        defer { database.close() }
        services = try database.query("SELECT id, external_id, product, state, node, spec FROM services ORDER BY id") {
            (row) throws(SQLError) in
            Service(
                id: try row.text(), externalID: try row.optionalText(), product: try row.text(),
                state: try row.text(),
                node: try row.optionalText(), spec: try row.json())
        }
        operations = try database.query("SELECT id, service, kind, state, error FROM operations ORDER BY id") {
            (row) throws(SQLError) in
            Operation(
                id: try row.text(), service: try row.optionalText(), kind: try row.text(), state: try row.text(),
                error: try row.optionalText())
        }
        let held = """
            SELECT kind, scope, value, node, service FROM allocations WHERE released_at IS NULL ORDER BY 1, 2, 3
            """
        allocations = try database.query(held) {
            (row) throws(SQLError) in
            Allocation(
                kind: try row.text(), scope: try row.text(), value: try row.text(), node: try row.optionalText(),
                service: try row.text())
        }
        let promises = try database.query("SELECT service, node FROM reservations") { (row) throws(SQLError) in
            (try row.text(), try row.text())
        }
        reservations = Dictionary(promises) { $1 }
        let listed = try database.query("SELECT service, name FROM backups WHERE state = 'available'") {
            (row) throws(SQLError) in (try row.text(), try row.text())
        }
        backups = Dictionary(grouping: listed, by: \.0).mapValues { $0.map(\.1) }
        commands = try database.query("SELECT id, node, state, result FROM commands ORDER BY id") {
            (row) throws(SQLError) in
            Command(id: try row.text(), node: try row.text(), state: try row.text(), result: try row.optionalObject())
        }
        samples = try Self.samples(database)
        gaps = try database.query("SELECT node, kind, from_seq, to_seq, from_time, to_time FROM gaps") {
            (row) throws(SQLError) in
            Gap(
                node: try row.text(), kind: try row.text(), seqs: try row.integer()...(try row.integer()),
                times: try row.integer()...(try row.integer()))
        }
        let events = try database.query("SELECT node, data FROM events WHERE kind = 'test.event' ORDER BY node, seq") {
            (row) throws(SQLError) in (try row.text(), try row.json()["number"]?.asInteger ?? -1)
        }
        self.events = Dictionary(grouping: events, by: \.0).mapValues { $0.map(\.1) }
        let counters = try database.query("SELECT node, value FROM usage_counters") { (row) throws(SQLError) in
            (try row.text(), try row.integer())
        }
        usage = Dictionary(counters) { max($0, $1) }
    }

    private static func samples(_ database: SQLiteDatabase) throws -> [Sample] {
        let rows = try database.query(
            """
            SELECT node, time, data FROM metric_rows JOIN metric_series ON series = number ORDER BY node, time
            """
        ) { (row) throws(SQLError) in (try row.text(), try row.integer(), try row.blob()) }
        let chunks = try database.query(
            "SELECT node, data FROM metric_chunks JOIN metric_series ON series = number ORDER BY node, start"
        ) { (row) throws(SQLError) in (try row.text(), try row.blob()) }
        var samples = try rows.map { node, time, data in
            Sample(node: node, time: time, number: Int(try PackedRow.decode(data)[0]))
        }
        for (node, data) in chunks {
            let chunk = try MetricChunk(data)
            for (time, value) in zip(chunk.times, try chunk.column(0)) {
                samples.append(Sample(node: node, time: time, number: Int(value)))
            }
        }
        return samples
    }
}

extension SQLiteRow {
    fileprivate mutating func json() throws(SQLError) -> JSONObject { try optionalObject() ?? [:] }

    fileprivate mutating func optionalObject() throws(SQLError) -> JSONObject? {
        guard let text = try optionalText() else { return nil }
        return (try? JSONParser.parse(Array(text.utf8)))?.asObject
    }
}
