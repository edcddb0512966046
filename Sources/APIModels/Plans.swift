package import Model
package import WireProtocol

/// What a customer can buy: a product with its amounts.
package struct Plan: Codable, Sendable {
    package var name: String
    /// What kind of thing it sells; the same in all revisions.
    package var product: String
    /// Grows by one with every change.
    package var revision: Int64
    /// The product's own fields; `GET /api/v1/products/{product}` has their schema.
    package var spec: JSONValue
    /// When this revision was made.
    package var changedAt: Timestamp
    /// Set when no new service may use the plan.
    package var retiredAt: Timestamp?

    package init(
        name: String, product: String, revision: Int64, spec: JSONValue, changedAt: Timestamp, retiredAt: Timestamp?
    ) {
        self.name = name
        self.product = product
        self.revision = revision
        self.spec = spec
        self.changedAt = changedAt
        self.retiredAt = retiredAt
    }
}

/// `POST /api/v1/plans`.
package struct PlanRequest: Codable, Sendable {
    package var name: String
    /// `container` when it is not given.
    package var product: String?
    /// The product's own fields.
    package var spec: JSONValue

    package init(name: String, product: String? = nil, spec: JSONValue) {
        self.name = name
        self.product = product
        self.spec = spec
    }
}

/// `PUT /api/v1/plans/{name}`. A body with neither `product` nor `spec` is taken for the fields of a container, as version 0.1.0
/// wanted them.
package struct PlanChange: Codable, Sendable {
    /// Cannot be changed once a plan is there.
    package var product: String?
    /// The product's own fields.
    package var spec: JSONValue

    package init(product: String? = nil, spec: JSONValue) {
        self.product = product
        self.spec = spec
    }
}
