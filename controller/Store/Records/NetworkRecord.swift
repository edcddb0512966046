package import Model
import SQL
package import WireProtocol

/// A network that services are put on. Core reads its specification.
package struct NetworkRecord: Sendable, Hashable {
    package var name: String
    package var spec: JSONObject
    package var createdAt: Timestamp
    package var updatedAt: Timestamp

    package init(name: String, spec: JSONObject, createdAt: Timestamp, updatedAt: Timestamp) {
        (self.name, self.spec, self.createdAt, self.updatedAt) = (name, spec, createdAt, updatedAt)
    }
}

extension NetworkRecord: Record {
    static let table = "networks"
    static let key = ["name"]
    static let columns = ["name", "spec", "created_at", "updated_at"]

    init(row: inout any SQLRow) throws(SQLError) {
        name = try row.text()
        spec = try row.object()
        createdAt = try row.timestamp()
        updatedAt = try row.timestamp()
    }

    var values: [any SQLBindable] { [name, spec, createdAt, updatedAt] }
}
