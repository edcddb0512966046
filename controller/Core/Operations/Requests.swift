package import Store
package import WireProtocol

/// Who asks for something, for the audit log.
package struct Requester: Sendable, Hashable {
    /// An API key's id, or the name of a part of the controller: `reconciler/drift`.
    package var name: String
    /// The peer's address.
    package var remote: String?
    /// The request's `Idempotency-Key`, noted on the operation.
    package var idempotencyKey: String?
    /// The one customer for whose services he may ask; nil for all.
    package var customer: String?

    package init(name: String, remote: String? = nil, idempotencyKey: String? = nil, customer: String? = nil) {
        self.customer = customer
        self.name = name
        self.remote = remote
        self.idempotencyKey = idempotencyKey
    }
}

extension Requester {
    /// A key stands for one request as long as this.
    package static let keyLifetime = Duration.seconds(24 * 3600)

    /// For what belongs to no customer.
    func requireFleet() throws(CoreError) {
        if customer != nil { throw .forbidden("\(name) is bound to one customer, and this belongs to none") }
    }
}

extension Store {
    /// The service that somebody wants changed. One of another customer is not there.
    func service(_ id: String, for requester: Requester) throws(StoreError) -> ServiceRecord? {
        guard let service = try service(id) else { return nil }
        return requester.customer == nil || requester.customer == service.customer ? service : nil
    }

    /// The operation that somebody wants changed. Of those of another customer, and of nobody's, there is none.
    func operation(_ id: String, for requester: Requester) throws(StoreError) -> OperationRecord? {
        guard let operation = try operation(id) else { return nil }
        guard requester.customer != nil else { return operation }
        guard let id = operation.service, try service(id, for: requester) != nil else { return nil }
        return operation
    }
}

/// A service that somebody wants.
package struct ServiceRequest: Sendable, Hashable {
    /// The billing system's own name for it; the same one twice is the same service.
    package var externalID: String?
    package var customer: String
    package var plan: String
    package var labels: [String: String]
    /// What is to be other than the plan says: `memory_bytes`, `cpu_millis`, `disk_bytes`, `command`, `env`,
    /// `placement`, `repair`.
    package var overrides: JSONObject

    package init(
        externalID: String? = nil, customer: String, plan: String, labels: [String: String] = [:],
        overrides: JSONObject = [:]
    ) {
        self.externalID = externalID
        self.customer = customer
        self.plan = plan
        self.labels = labels
        self.overrides = overrides
    }
}

/// What a service is to become. At least one of the two is given.
package struct UpgradeRequest: Sendable, Hashable {
    /// The new plan; nil keeps the present values where `overrides` says nothing.
    package var plan: String?
    package var overrides: JSONObject

    package init(plan: String? = nil, overrides: JSONObject = [:]) {
        self.plan = plan
        self.overrides = overrides
    }
}

/// A service and the operation that works on it.
package struct ServiceOperation: Sendable, Hashable {
    package var service: ServiceRecord
    package var operation: OperationRecord
    /// False when the same request was taken before and this is what it made.
    package var created: Bool

    package init(service: ServiceRecord, operation: OperationRecord, created: Bool) {
        self.service = service
        self.operation = operation
        self.created = created
    }
}
