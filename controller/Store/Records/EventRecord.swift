package import Model
import SQL
package import WireProtocol

/// Something that a node saw.
package struct EventRecord: Sendable, Hashable {
    /// Sorts by time of arrival.
    package var id: String
    package var node: String
    package var seq: Int64
    /// By the node's clock.
    package var time: Timestamp
    package var driver: String
    package var resource: String?
    package var kind: String
    package var data: JSONObject

    package init(
        id: String, node: String, seq: Int64, time: Timestamp, driver: String, resource: String?,
        kind: String, data: JSONObject
    ) {
        self.id = id
        self.node = node
        self.seq = seq
        self.time = time
        self.driver = driver
        self.resource = resource
        self.kind = kind
        self.data = data
    }
}

extension EventRecord: Record {
    static let table = "events"
    static let key = ["id"]
    static let columns = [
        "id", "node", "seq", "time", "driver", "resource", "kind", "data",
    ]

    init(row: inout any SQLRow) throws(SQLError) {
        id = try row.text()
        node = try row.text()
        seq = try row.integer()
        time = try row.timestamp()
        driver = try row.text()
        resource = try row.optionalText()
        kind = try row.text()
        data = try row.object()
    }

    var values: [any SQLBindable] {
        [
            id, node, seq, time, driver, resource, kind, data,
        ]
    }
}
