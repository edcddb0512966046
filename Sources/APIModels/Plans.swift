package import Model

/// What a customer can buy: a container and what it gets.
package struct Plan: Codable, Sendable {
    package var name: String
    /// Grows by one with every change.
    package var revision: Int64
    package var spec: PlanBody
    /// When this revision was made.
    package var changedAt: Timestamp
    /// Set when no new service may use the plan.
    package var retiredAt: Timestamp?

    package init(name: String, revision: Int64, spec: PlanBody, changedAt: Timestamp, retiredAt: Timestamp?) {
        self.name = name
        self.revision = revision
        self.spec = spec
        self.changedAt = changedAt
        self.retiredAt = retiredAt
    }
}

/// `POST /api/v1/plans`; `PUT /api/v1/plans/{name}` takes the spec alone.
package struct PlanRequest: Codable, Sendable {
    package var name: String
    package var spec: PlanBody

    package init(name: String, spec: PlanBody) {
        self.name = name
        self.spec = spec
    }
}

/// The spec of a plan. Sizes are bytes, CPU is thousandths of a core.
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
