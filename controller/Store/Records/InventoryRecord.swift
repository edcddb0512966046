package import Model
import SQL
package import WireProtocol

/// A resource as its driver last described it.
package struct InventoryRecord: Sendable, Hashable {
    package var node: String
    package var driver: String
    package var resource: String
    package var generation: Int64
    package var state: JSONObject
    package var updatedAt: Timestamp

    package init(
        node: String, driver: String, resource: String, generation: Int64, state: JSONObject,
        updatedAt: Timestamp
    ) {
        self.node = node
        self.driver = driver
        self.resource = resource
        self.generation = generation
        self.state = state
        self.updatedAt = updatedAt
    }
}

extension InventoryRecord: Record {
    static let table = "inventory"
    static let key = ["node", "driver", "resource"]
    static let columns = [
        "node", "driver", "resource", "generation", "state", "updated_at",
    ]

    init(row: inout any SQLRow) throws(SQLError) {
        node = try row.text()
        driver = try row.text()
        resource = try row.text()
        generation = try row.integer()
        state = try row.object()
        updatedAt = try row.timestamp()
    }

    var values: [any SQLBindable] {
        [
            node, driver, resource, generation, state, updatedAt,
        ]
    }
}
