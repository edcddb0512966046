package import Model
import SQL
package import WireProtocol

/// What a customer pays for.
package struct ServiceRecord: Sendable, Hashable {
    package enum State: String, Sendable, Hashable, CaseIterable {
        case pending, provisioning, running, suspending, suspended, resuming, upgrading, terminating, terminated, failed
    }

    package var id: String
    /// The billing system's own name for it, unique.
    package var externalID: String?
    package var customer: String
    package var plan: String
    package var planRevision: Int64
    /// The plan as it was when the service was made or last upgraded.
    package var spec: JSONObject
    package var state: State
    package var node: String?
    /// Grows with every operation on it.
    package var generation: Int64
    /// Where it can be reached and what was allocated for it.
    package var address: JSONObject
    /// What the agents last reported.
    package var observed: JSONObject
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
    /// What kind of thing it is; never changes.
    package var product: String

    package init(
        id: String, externalID: String? = nil, customer: String, product: String = "container", plan: String,
        planRevision: Int64 = 0,
        spec: JSONObject = [:], state: State = .pending, node: String? = nil, generation: Int64 = 0,
        address: JSONObject = [:], observed: JSONObject = [:], createdAt: Timestamp, updatedAt: Timestamp
    ) {
        self.id = id
        self.externalID = externalID
        self.customer = customer
        self.plan = plan
        self.planRevision = planRevision
        self.spec = spec
        self.state = state
        self.node = node
        self.generation = generation
        self.address = address
        self.observed = observed
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.product = product
    }
}

extension ServiceRecord: Record {
    static let table = "services"
    static let key = ["id"]
    static var sealedColumns: [SealedColumn<ServiceRecord>] {
        [SealedColumn("spec", \.spec), SealedColumn("address", \.address), SealedColumn("observed", \.observed)]
    }
    static let columns = [
        "id", "external_id", "customer", "plan", "plan_revision", "spec", "state", "node", "generation",
        "address", "observed", "created_at", "updated_at", "product",
    ]

    init(row: inout any SQLRow) throws(SQLError) {
        id = try row.text()
        externalID = try row.optionalText()
        customer = try row.text()
        plan = try row.text()
        planRevision = try row.integer()
        spec = try row.object()
        state = try row.named()
        node = try row.optionalText()
        generation = try row.integer()
        address = try row.object()
        observed = try row.object()
        createdAt = try row.timestamp()
        updatedAt = try row.timestamp()
        product = try row.text()
    }

    var values: [any SQLBindable] {
        [
            id, externalID, customer, plan, planRevision, spec, state.rawValue, node, generation, address,
            observed, createdAt, updatedAt, product,
        ]
    }
}
