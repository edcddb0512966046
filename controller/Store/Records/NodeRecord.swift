package import Model
import SQL
package import WireProtocol

/// A machine with an agent.
package struct NodeRecord: Sendable, Hashable {
    package enum State: String, Sendable, Hashable, CaseIterable {
        case connected, unreachable
        /// Enrolled, not seen yet.
        case never
    }

    package var id: String
    /// Unique.
    package var name: String
    package var labels: [String: String]
    /// False when cordoned: nothing new is placed here.
    package var schedulable: Bool
    /// What is there is to go elsewhere; it takes nothing new either. Nil for a node that is not drained.
    package var drain: Drain?
    package var state: State
    package var lastSeen: Timestamp?
    package var agentVersion: String?
    /// What the last hello said: operating system, host name, drivers.
    package var facts: JSONObject
    /// The boot id of the last hello.
    package var boot: String?
    /// What the node has in total, 0 while unknown.
    package var cpuMillis: Int64
    package var memoryBytes: Int64
    package var diskBytes: Int64
    package var enrolledAt: Timestamp
    package var revokedAt: Timestamp?
    /// The newest certificate that was issued to it.
    package var certificateSerial: String?
    package var certificateFingerprint: String?
    package var certificateExpires: Timestamp?
    /// Since when it is trusted. Before that it is looked at, and gets nothing to do and nothing to know.
    package var approvedAt: Timestamp?
    /// The figures that were approved with it; nil until it has told any.
    package var approvedClaims: NodeClaims?

    package init(
        id: String, name: String, labels: [String: String] = [:], schedulable: Bool = true,
        state: State = .never, lastSeen: Timestamp? = nil, agentVersion: String? = nil,
        facts: JSONObject = [:], boot: String? = nil, cpuMillis: Int64 = 0, memoryBytes: Int64 = 0,
        diskBytes: Int64 = 0, enrolledAt: Timestamp, revokedAt: Timestamp? = nil,
        certificateSerial: String? = nil, certificateFingerprint: String? = nil,
        certificateExpires: Timestamp? = nil, approvedAt: Timestamp? = nil, approvedClaims: NodeClaims? = nil
    ) {
        self.id = id
        self.name = name
        self.labels = labels
        self.schedulable = schedulable
        self.state = state
        self.lastSeen = lastSeen
        self.agentVersion = agentVersion
        self.facts = facts
        self.boot = boot
        self.cpuMillis = cpuMillis
        self.memoryBytes = memoryBytes
        self.diskBytes = diskBytes
        self.enrolledAt = enrolledAt
        self.revokedAt = revokedAt
        self.certificateSerial = certificateSerial
        self.certificateFingerprint = certificateFingerprint
        self.certificateExpires = certificateExpires
        self.approvedAt = approvedAt
        self.approvedClaims = approvedClaims
    }
}

/// How a node is emptied.
package enum Drain: Int64, Sendable, Hashable {
    /// What can be moved goes elsewhere, the rest stays as it is.
    case moves = 1
    /// What cannot be moved is stopped.
    case stops = 2
}

extension NodeRecord: Record {
    static let table = "nodes"
    static let key = ["id"]
    static let columns = [
        "id", "name", "labels", "schedulable", "state", "last_seen", "agent_version", "facts", "boot",
        "cpu_millis", "memory_bytes", "disk_bytes", "enrolled_at", "revoked_at", "certificate_serial",
        "certificate_fingerprint", "certificate_expires", "approved_at", "approved_claims", "cluster",
        "draining",
    ]

    init(row: inout any SQLRow) throws(SQLError) {
        id = try row.text()
        name = try row.text()
        labels = try row.labels()
        schedulable = try row.bool()
        state = try row.named()
        lastSeen = try row.optionalTimestamp()
        agentVersion = try row.optionalText()
        facts = try row.object()
        boot = try row.optionalText()
        cpuMillis = try row.integer()
        memoryBytes = try row.integer()
        diskBytes = try row.integer()
        enrolledAt = try row.timestamp()
        revokedAt = try row.optionalTimestamp()
        certificateSerial = try row.optionalText()
        certificateFingerprint = try row.optionalText()
        certificateExpires = try row.optionalTimestamp()
        approvedAt = try row.optionalTimestamp()
        approvedClaims = NodeClaims(json: try row.object())
        // It follows from the facts.
        _ = try row.optionalText()
        let drain = try row.integer()
        self.drain = drain == 0 ? nil : Drain(rawValue: drain) ?? .moves
    }

    var values: [any SQLBindable] {
        [
            id, name, labels.columnText, schedulable, state.rawValue, lastSeen, agentVersion, facts, boot,
            cpuMillis, memoryBytes, diskBytes, enrolledAt, revokedAt, certificateSerial,
            certificateFingerprint, certificateExpires, approvedAt, approvedClaims?.json ?? [:], cluster,
            drain?.rawValue ?? 0,
        ]
    }

    /// The Proxmox cluster that its facts name; a column so that its nodes are found. Names of clusters must differ.
    package var cluster: String? {
        let proxmox = facts["drivers"]?.asArray?.first { $0["name"]?.asString == "proxmox" }
        guard let name = proxmox?["facts"]?["cluster"]?.asString, !name.isEmpty else { return nil }
        return name.capped(to: 128)
    }
}
