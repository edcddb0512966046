package import Model
import SQL
package import WireProtocol

/// A service of others that the operator has set up. Core reads its settings; they hold secrets and lie sealed.
package struct IntegrationRecord: Sendable, Hashable {
    package var name: String
    package var kind: String
    package var settings: JSONObject
    package var createdAt: Timestamp
    /// Greater after each change.
    package var updatedAt: Timestamp

    package init(name: String, kind: String, settings: JSONObject, createdAt: Timestamp, updatedAt: Timestamp) {
        (self.name, self.kind, self.settings) = (name, kind, settings)
        (self.createdAt, self.updatedAt) = (createdAt, updatedAt)
    }
}

extension IntegrationRecord: Record {
    static let table = "integrations"
    static let key = ["name"]
    static var sealedColumns: [SealedColumn<IntegrationRecord>] { [SealedColumn("settings", \.settings)] }
    static let columns = ["name", "kind", "settings", "created_at", "updated_at"]

    init(row: inout any SQLRow) throws(SQLError) {
        name = try row.text()
        kind = try row.text()
        settings = try row.object()
        createdAt = try row.timestamp()
        updatedAt = try row.timestamp()
    }

    var values: [any SQLBindable] { [name, kind, settings, createdAt, updatedAt] }
}
