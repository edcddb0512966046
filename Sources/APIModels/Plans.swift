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

/// The fields of a plan of the product `container`. Sizes are bytes, CPU is thousandths of a core.
package struct PlanBody: Codable, Sendable, Hashable {
    /// `docker` (the default).
    package var driver: String?
    package var image: String
    package var command: [String]?
    /// The container's variables. Their values are never shown: in an answer each is `********`, and that sent back
    /// keeps the value that is there.
    package var env: [String: String]?
    package var memoryBytes: Int64
    package var cpuMillis: Int64
    package var diskBytes: Int64
    /// `none` (the default), `host`, `bridge` or the name of a network.
    package var network: String?
    /// Where the dataset is mounted in the container; `/data` by default.
    package var mountPath: String?
    /// A tar file on the node from which the image is imported when it is missing there.
    package var imageTar: String?
    /// The pool to use; without it, the node's pool with the most room.
    package var pool: String?
    package var placement: PlacementBody?
    /// Given to the services of the plan, for people and billing systems.
    package var labels: [String: String]?
    /// Whether a container that is found stopped or missing is brought back without being asked.
    package var repair: Bool?

    package init(image: String, memoryBytes: Int64, cpuMillis: Int64, diskBytes: Int64) {
        self.image = image
        self.memoryBytes = memoryBytes
        self.cpuMillis = cpuMillis
        self.diskBytes = diskBytes
    }
}

/// Where services of a plan go.
package struct PlacementBody: Codable, Sendable, Hashable {
    package enum Strategy: String, Choice { case spread, pack }
    package var strategy: Strategy?
    /// Labels that a node must have.
    package var labels: [String: String]?

    package init(strategy: Strategy? = nil, labels: [String: String]? = nil) {
        self.strategy = strategy
        self.labels = labels
    }
}
