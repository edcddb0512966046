package import Model
import SQL
package import WireProtocol

/// Which nodes are wanted; nil means any.
package struct NodeFilter: Sendable, Hashable {
    package var state: NodeRecord.State?
    package var name: String?

    package init(state: NodeRecord.State? = nil, name: String? = nil) {
        self.state = state
        self.name = name
    }
}

/// What a node says of itself when it connects.
package struct NodeHello: Sendable, Hashable {
    package var node: String
    package var agentVersion: String
    package var facts: JSONObject
    package var boot: String
    package var cpuMillis: Int64
    package var memoryBytes: Int64
    package var diskBytes: Int64
    /// What its drivers can do; nil leaves what is known.
    package var catalogue: JSONValue?

    package init(
        node: String, agentVersion: String, facts: JSONObject, boot: String, cpuMillis: Int64, memoryBytes: Int64,
        diskBytes: Int64, catalogue: JSONValue? = nil
    ) {
        self.node = node
        self.agentVersion = agentVersion
        self.facts = facts
        self.boot = boot
        self.cpuMillis = cpuMillis
        self.memoryBytes = memoryBytes
        self.diskBytes = diskBytes
        self.catalogue = catalogue
    }
}

/// What a node says of its drivers while it is connected.
package struct NodeDrivers: Sendable, Hashable {
    package var node: String
    /// As in the facts of a hello.
    package var drivers: JSONValue
    package var cpuMillis: Int64
    package var memoryBytes: Int64
    package var diskBytes: Int64
    package var catalogue: JSONValue?

    package init(
        node: String, drivers: JSONValue, cpuMillis: Int64, memoryBytes: Int64, diskBytes: Int64,
        catalogue: JSONValue? = nil
    ) {
        self.node = node
        self.drivers = drivers
        self.cpuMillis = cpuMillis
        self.memoryBytes = memoryBytes
        self.diskBytes = diskBytes
        self.catalogue = catalogue
    }
}

extension Store {
    /// Throws `conflict` when the id or the name is taken.
    package func insertNode(_ node: NodeRecord) throws(StoreError) {
        try transaction { () throws(StoreError) in
            try insert(node)
            try writeRoom(node)
            note(.node, node.id, node: node.id)
        }
    }

    package func node(_ id: String) throws(StoreError) -> NodeRecord? {
        try first(NodeRecord.self, "WHERE id = ?", [id])
    }

    /// Those that are to be emptied.
    package func drainedNodes() throws(StoreError) -> [NodeRecord] {
        try select(NodeRecord.self, "WHERE draining <> 0 AND revoked_at IS NULL ORDER BY id")
    }

    /// Of a cluster, by the name that its nodes call it.
    package func nodes(ofCluster name: String) throws(StoreError) -> [String] {
        try rows("SELECT id FROM nodes WHERE cluster = ? AND revoked_at IS NULL ORDER BY id", [name]) {
            (row) throws(SQLError) in try row.text()
        }
    }

    package func node(named name: String) throws(StoreError) -> NodeRecord? {
        try first(NodeRecord.self, "WHERE name = ?", [name])
    }

    /// What nodes are called, by id; those that are not there are left out.
    package func nodeNames(_ ids: [String]) throws(StoreError) -> [String: String] {
        guard !ids.isEmpty else { return [:] }
        var conditions = Conditions()
        conditions.among("id", Set(ids).sorted())
        let names = try rows("SELECT id, name FROM nodes \(conditions.sql)", conditions.values) {
            (row) throws(SQLError) in
            (try row.text(), try row.text())
        }
        return Dictionary(names, uniquingKeysWith: { $1 })
    }

    package func nodes(
        _ filter: NodeFilter = NodeFilter(), page request: PageRequest = PageRequest()
    ) throws(StoreError) -> Page<NodeRecord> {
        var conditions = Conditions()
        conditions.equal("state", filter.state?.rawValue)
        conditions.equal("name", filter.name)
        return try page(NodeRecord.self, conditions, request, cursor: \.id)
    }

    /// Every node, for placement and reconcilers.
    package func allNodes() throws(StoreError) -> [NodeRecord] { try select(NodeRecord.self, "ORDER BY id") }

    private func raiseOversizedFacts(of id: String, at time: Timestamp) throws(StoreError) {
        let name = try node(id)?.name ?? id
        try raise(
            Finding(
                "facts.oversized", subject: "node/\(id)", .warning, node: id,
                summary: "Node \(name) says more of itself than is kept; nothing may be placed there for want of it.",
                remedy: "See which of its drivers says so much."), at: time)
    }

    /// Bytes of what a node says of itself that are kept.
    private static let factsLimit = 256 << 10

    /// The node is connected and is as it says.
    package func recordHello(_ hello: NodeHello, at time: Timestamp) throws(StoreError) {
        try transaction { () throws(StoreError) in
            try updateNode(hello.node) { node in
                node.state = .connected
                node.lastSeen = time
                node.agentVersion = hello.agentVersion.capped(to: 64)
                node.facts = hello.facts.capped(to: Self.factsLimit)
                node.boot = hello.boot.capped(to: 128)
                node.cpuMillis = hello.cpuMillis
                node.memoryBytes = hello.memoryBytes
                node.diskBytes = hello.diskBytes
            }
            if let catalogue = hello.catalogue { try setCatalogue(catalogue, of: hello.node) }
            if hello.facts.text.utf8.count > Self.factsLimit { try raiseOversizedFacts(of: hello.node, at: time) }
        }
    }

    /// The drivers of a connected node are otherwise than its hello said.
    package func recordDrivers(_ report: NodeDrivers) throws(StoreError) {
        try transaction { () throws(StoreError) in
            try updateNode(report.node) { node in
                node.facts["drivers"] = report.drivers
                node.facts = node.facts.capped(to: Self.factsLimit)
                node.cpuMillis = report.cpuMillis
                node.memoryBytes = report.memoryBytes
                node.diskBytes = report.diskBytes
            }
            if let catalogue = report.catalogue { try setCatalogue(catalogue, of: report.node) }
        }
    }

    /// - Parameter state: asked for in the moment of writing, so that writes that overtake each other do no harm.
    package func setNodeState(_ id: String, _ state: @Sendable () -> NodeRecord.State) throws(StoreError) {
        let state = state()
        try updateNode(id) { $0.state = state }
    }

    /// Signs of life of many nodes in one commit. Tells the feed nothing. Moves a time back only where the clock was set
    /// back.
    package func recordSeen(_ times: [String: Timestamp]) throws(StoreError) {
        try transaction { () throws(StoreError) in
            for (node, time) in times {
                let sql = """
                    UPDATE nodes SET last_seen = ?
                    WHERE id = ? AND (last_seen IS NULL OR last_seen < ? OR last_seen > ?)
                    """
                try run(sql, [time, node, time, time + .seconds(60)])
            }
        }
    }

    /// Reads, changes and writes one node. Returns it as it is afterwards; throws `notFound`.
    @discardableResult
    package func updateNode(
        _ id: String, _ change: @Sendable (inout NodeRecord) -> Void
    ) throws(StoreError) -> NodeRecord {
        try transaction { () throws(StoreError) in
            guard var node = try node(id) else { throw .notFound(kind: "node", id: id) }
            let before = node
            change(&node)
            node.id = id
            guard node != before else { return node }
            try overwrite(node)
            try writeRoom(node, before: before)
            note(.node, id, node: id)
            return node
        }
    }

    /// Revokes the node and every certificate of it. False when it was revoked before.
    package func revokeNode(_ id: String, at time: Timestamp) throws(StoreError) -> Bool {
        try transaction { () throws(StoreError) in
            guard let node = try node(id) else { throw .notFound(kind: "node", id: id) }
            try run("UPDATE certificates SET revoked_at = ? WHERE node = ? AND revoked_at IS NULL", [time, id])
            guard node.revokedAt == nil else { return false }
            try updateNode(id) {
                $0.revokedAt = time
                $0.schedulable = false
            }
            return true
        }
    }
}
