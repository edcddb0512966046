package import Model
package import WireProtocol

/// A machine with an agent.
package struct Node: Codable, Sendable {
    package var id: String
    package var name: String
    /// `connected`, `unreachable` or `never` (enrolled, not seen yet).
    package var state: String
    /// False when cordoned: nothing new is placed here.
    package var schedulable: Bool
    /// Present when what is there is to go elsewhere.
    package var draining: Bool?
    /// How far that has come. Only when one node is asked for.
    package var drain: NodeDrainView?
    package var labels: [String: String]
    package var capacity: Capacity?
    package var agentVersion: String?
    package var lastSeen: Timestamp?
    package var enrolledAt: Timestamp
    package var certificateExpires: Timestamp?
    package var revokedAt: Timestamp?
    /// Since when it is trusted; absent while it is only looked at.
    package var approvedAt: Timestamp?
    /// What it says that it has, believed or not. Only when one node is asked for.
    package var claims: NodeClaimsView?
    /// What the agent said of itself: operating system, drivers and what they found. Only when one node is asked for.
    package var facts: JSONValue?

    package init(
        id: String, name: String, state: String, schedulable: Bool, labels: [String: String], capacity: Capacity?,
        agentVersion: String?, lastSeen: Timestamp?, enrolledAt: Timestamp, certificateExpires: Timestamp?,
        revokedAt: Timestamp?, approvedAt: Timestamp? = nil, claims: NodeClaimsView? = nil, facts: JSONValue? = nil
    ) {
        self.id = id
        self.name = name
        self.state = state
        self.schedulable = schedulable
        self.labels = labels
        self.capacity = capacity
        self.agentVersion = agentVersion
        self.lastSeen = lastSeen
        self.enrolledAt = enrolledAt
        self.certificateExpires = certificateExpires
        self.revokedAt = revokedAt
        self.approvedAt = approvedAt
        self.claims = claims
        self.facts = facts
    }
}

/// What a node says that it has, and which of it is not believed.
package struct NodeClaimsView: Codable, Sendable, Hashable {
    package var cpuMillis: Int64
    package var memoryBytes: Int64
    /// Bytes of each pool by its name.
    package var pools: [String: Int64]
    /// One sentence for each figure that does not count as it is claimed.
    package var doubts: [String]?

    package init(cpuMillis: Int64, memoryBytes: Int64, pools: [String: Int64], doubts: [String]? = nil) {
        self.cpuMillis = cpuMillis
        self.memoryBytes = memoryBytes
        self.pools = pools
        self.doubts = doubts
    }
}

/// `POST /api/v1/nodes/{id}/approve`. With `claims` the node is approved only if it still says the same.
package struct NodeApproval: Codable, Sendable {
    package var claims: NodeClaimsView?

    package init(claims: NodeClaimsView? = nil) { self.claims = claims }
}

/// `POST /api/v1/nodes/{id}/drain`, the body is optional.
package struct DrainRequest: Codable, Sendable {
    /// Stop what cannot be moved; else it stays as it is.
    package var stop: Bool?

    package init(stop: Bool? = nil) { self.stop = stop }
}

/// How far the drain of a node has come.
package struct NodeDrainView: Codable, Sendable {
    /// What cannot be moved is stopped.
    package var stops: Bool
    /// Services that are still there.
    package var left: Int
    /// The first 200 of them.
    package var services: [DrainedService]

    package init(stops: Bool, left: Int, services: [DrainedService]) {
        self.stops = stops
        self.left = left
        self.services = services
    }
}

/// A service on a node that is drained.
package struct DrainedService: Codable, Sendable {
    package var id: String
    package var externalID: String?
    package var product: String
    package var state: String
    /// `moving`, `stopping`, `waiting` (its turn will come), `stopped` (started again when the drain ends) or `stays`.
    package var standing: String
    /// Why it is not moved.
    package var reason: String?
    /// That is under way, or that it waits for.
    package var operation: String?

    package init(id: String, externalID: String?, product: String, state: String, standing: String) {
        self.id = id
        self.externalID = externalID
        self.product = product
        self.state = state
        self.standing = standing
    }
}

/// What a node has in total, or a service reserves: thousandths of a core, and bytes.
package struct Capacity: Codable, Sendable, Hashable {
    package var cpuMillis: Int64
    package var memoryBytes: Int64
    package var diskBytes: Int64

    package init(cpuMillis: Int64, memoryBytes: Int64, diskBytes: Int64) {
        self.cpuMillis = cpuMillis
        self.memoryBytes = memoryBytes
        self.diskBytes = diskBytes
    }
}

/// `PUT /api/v1/nodes/{id}/labels`: the whole new set.
package struct LabelsRequest: Codable, Sendable {
    package var labels: [String: String]

    package init(labels: [String: String]) { self.labels = labels }
}

/// `PATCH /api/v1/nodes/{id}/labels`: what is named is set, or taken away by `null`; all else stays.
package struct LabelsPatch: Codable, Sendable {
    package var labels: [String: String?]

    package init(labels: [String: String?]) { self.labels = labels }
}

/// A token with which a machine joins. `token` is there once, in the answer to its creation.
package struct JoinTokenView: Codable, Sendable {
    package var id: String
    package var labels: [String: String]
    package var usesLeft: Int
    package var createdAt: Timestamp
    package var createdBy: String?
    /// What people call the one who made it, where he has a name.
    package var createdByName: String?
    package var expiresAt: Timestamp
    package var revokedAt: Timestamp?
    /// Its nodes are trusted at once.
    package var approved: Bool?
    package var token: String?

    package init(
        id: String, labels: [String: String], usesLeft: Int, createdAt: Timestamp, createdBy: String?,
        createdByName: String? = nil, expiresAt: Timestamp, revokedAt: Timestamp?, approved: Bool? = nil,
        token: String? = nil
    ) {
        self.id = id
        self.labels = labels
        self.usesLeft = usesLeft
        self.createdAt = createdAt
        self.createdBy = createdBy
        self.createdByName = createdByName
        self.expiresAt = expiresAt
        self.revokedAt = revokedAt
        self.approved = approved
        self.token = token
    }
}

/// `POST /api/v1/tokens`. One use and 24 hours unless said otherwise.
package struct JoinTokenRequest: Codable, Sendable {
    package var uses: Int?
    package var expiresInSeconds: Int?
    package var labels: [String: String]?
    /// Nodes that join with it are trusted at once; else each waits until somebody approves it.
    package var approved: Bool?

    package init(
        uses: Int? = nil, expiresInSeconds: Int? = nil, labels: [String: String]? = nil, approved: Bool? = nil
    ) {
        self.uses = uses
        self.expiresInSeconds = expiresInSeconds
        self.labels = labels
        self.approved = approved
    }
}
