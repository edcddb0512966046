package import Model
package import WireProtocol

/// What a customer pays for.
package struct Service: Codable, Sendable {
    package var id: String
    /// The billing system's own name for it, unique.
    package var externalID: String?
    package var customer: String
    /// What kind of thing it is.
    package var product: String
    package var plan: String
    /// `pending`, `provisioning`, `running`, `suspending`, `suspended`, `upgrading`, `terminating`, `terminated` or `failed`.
    package var state: String
    package var node: String?
    /// What people call it; absent once the node is removed.
    package var nodeName: String?
    /// Grows by one with every operation on it.
    package var generation: Int64
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
    /// What it was promised: the plan as it was when this service was made or last upgraded. Not in lists.
    package var spec: JSONValue?
    /// What the agents last reported. Not in lists.
    package var observed: JSONValue?
    /// How it differs from what it should be: of a container `missing`, `stopped`, `running` or `foreign`.
    package var drift: String?
    /// The newest values of its metrics, by name. Only when one service is asked for.
    package var metrics: [String: Double]?
    /// The newest operation on it. Only when one service is asked for.
    package var operation: Operation?

    package init(
        id: String, externalID: String?, customer: String, product: String, plan: String, state: String, node: String?,
        generation: Int64, createdAt: Timestamp, updatedAt: Timestamp, spec: JSONValue? = nil,
        observed: JSONValue? = nil, drift: String? = nil, metrics: [String: Double]? = nil, operation: Operation? = nil
    ) {
        self.id = id
        self.externalID = externalID
        self.customer = customer
        self.product = product
        self.plan = plan
        self.state = state
        self.node = node
        self.generation = generation
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.spec = spec
        self.observed = observed
        self.drift = drift
        self.metrics = metrics
        self.operation = operation
    }
}

/// `POST /api/v1/services`. The same `external_id` twice is the same service, never a second one.
package struct ServiceBody: Codable, Sendable {
    package var externalID: String?
    package var customer: String
    package var plan: String
    /// The service's own labels, for people and billing systems.
    package var labels: [String: String]?
    /// What is to be other than the plan says: those of the product's fields that a service may have of its own.
    package var overrides: JSONValue?

    package init(
        externalID: String?, customer: String, plan: String, labels: [String: String]? = nil,
        overrides: JSONValue? = nil
    ) {
        self.externalID = externalID
        self.customer = customer
        self.plan = plan
        self.labels = labels
        self.overrides = overrides
    }
}

/// `POST /api/v1/services/{id}/upgrade`: another plan, other values, or both.
package struct UpgradeBody: Codable, Sendable {
    package var plan: String?
    /// Those of the product's fields that an upgrade can change.
    package var overrides: JSONValue?

    package init(plan: String? = nil, overrides: JSONValue? = nil) {
        self.plan = plan
        self.overrides = overrides
    }
}

/// `POST …/suspend`, the body is optional.
package struct ReasonRequest: Codable, Sendable {
    package var reason: String?

    package init(reason: String? = nil) { self.reason = reason }
}

/// `POST /api/v1/services/{id}/verbs/{verb}`, the body is optional.
package struct VerbBody: Codable, Sendable {
    /// What the verb wants to know; `GET /api/v1/products/{product}` has its schema.
    package var parameters: JSONValue?
    package var reason: String?

    package init(parameters: JSONValue? = nil, reason: String? = nil) {
        self.parameters = parameters
        self.reason = reason
    }
}

/// The answer 202: the work is on record and will be done.
package struct AcceptedOperation: Codable, Sendable {
    package var operation: Operation
    package var service: Service?

    package init(operation: Operation, service: Service?) {
        self.operation = operation
        self.service = service
    }
}
