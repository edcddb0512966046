package import Model
import SQL
package import WireProtocol

/// One revision of a plan. A revision never changes; a change makes the next one.
package struct PlanRecord: Sendable, Hashable {
    package var name: String
    /// From 1.
    package var revision: Int64
    package var spec: JSONObject
    package var createdAt: Timestamp
    /// Set on the newest revision: no new service may use the plan.
    package var retiredAt: Timestamp?
    /// What kind of thing it sells; the same in all revisions.
    package var product: String

    package init(
        name: String, revision: Int64, product: String = "container", spec: JSONObject, createdAt: Timestamp,
        retiredAt: Timestamp? = nil
    ) {
        self.product = product
        self.name = name
        self.revision = revision
        self.spec = spec
        self.createdAt = createdAt
        self.retiredAt = retiredAt
    }
}

extension PlanRecord: Record {
    static let table = "plans"
    static let key = ["name", "revision"]
    static var sealedColumns: [SealedColumn<PlanRecord>] { [SealedColumn("spec", \.spec)] }
    static let columns = [
        "name", "revision", "spec", "created_at", "retired_at", "product",
    ]

    init(row: inout any SQLRow) throws(SQLError) {
        name = try row.text()
        revision = try row.integer()
        spec = try row.object()
        createdAt = try row.timestamp()
        retiredAt = try row.optionalTimestamp()
        product = try row.text()
    }

    var values: [any SQLBindable] {
        [
            name, revision, spec, createdAt, retiredAt, product,
        ]
    }
}
