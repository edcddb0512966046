package import Model
import SQL
package import WireProtocol

/// What a driver said of its resources.
package struct InventoryReport: Sendable, Hashable {
    package var node: String
    package var driver: String
    package var generation: Int64
    /// The report names every resource: what it does not name is gone.
    package var isFull: Bool
    package var items: [(resource: String, state: JSONObject)] { pairs.map { ($0.resource, $0.state) } }
    package var removed: [String]
    private var pairs: [Item]

    private struct Item: Sendable, Hashable {
        var resource: String
        var state: JSONObject
    }

    package init(
        node: String, driver: String, generation: Int64, isFull: Bool, items: [(resource: String, state: JSONObject)],
        removed: [String] = []
    ) {
        self.node = node
        self.driver = driver
        self.generation = generation
        self.isFull = isFull
        self.removed = removed
        pairs = items.map { Item(resource: $0.resource, state: $0.state) }
    }
}

/// Which resources are wanted; nil means any.
package struct InventoryFilter: Sendable, Hashable {
    package var node: String?
    package var driver: String?
    package var resource: String?

    package init(node: String? = nil, driver: String? = nil, resource: String? = nil) {
        self.node = node
        self.driver = driver
        self.resource = resource
    }
}

extension Store {
    /// What is kept of what a driver says of its resources.
    enum InventoryLimits {
        /// Resources of one driver on one node.
        static let resources = 10_000
        /// Bytes of the state of one.
        static let state = 16 << 10
        /// Bytes of a name.
        static let name = 512
        /// Resources that one transaction writes.
        static let part = 1000
    }

    /// Takes over a report. Only what differs is written and told to the feed, in as many transactions as it takes. What is
    /// more than is kept is passed over with a finding.
    package func recordInventory(_ report: InventoryReport, at time: Timestamp) async throws(StoreError) {
        let known = try inventory(node: report.node, driver: report.driver)
        let before = Dictionary(known.map { ($0.resource, $0.state) }, uniquingKeysWith: { $1 })
        var items = report.items.filter { $0.resource.utf8.count <= InventoryLimits.name }
        let named = Set(items.map(\.resource))
        let gone = Set(report.removed.filter { before[$0] != nil })
            .union(report.isFull ? before.keys.filter { !named.contains($0) } : [])
        var room = InventoryLimits.resources - (before.count - gone.count)
        var isCut = items.count < report.items.count
        items = items.filter { item in
            if before[item.resource] != nil, !gone.contains(item.resource) { return true }
            room -= 1
            if room < 0 { isCut = true }
            return room >= 0
        }
        var changes = gone.map { InventoryChange.gone($0) }
        for item in items {
            let state = item.state.capped(to: InventoryLimits.state)
            if state != item.state { isCut = true }
            if before[item.resource] != state { changes.append(.seen(item.resource, state)) }
        }
        let parts = changes.pieces(InventoryLimits.part)
        for (index, part) in parts.enumerated() {
            try write(part, of: report, isLast: index == parts.count - 1, at: time)
            await Task.yield()
        }
        if isCut { try raiseOversized(report, at: time) }
    }

    private func write(
        _ changes: [InventoryChange], of report: InventoryReport, isLast: Bool, at time: Timestamp
    ) throws(StoreError) {
        try transaction { () throws(StoreError) in
            for change in changes {
                switch change {
                case .gone(let resource):
                    let sql = "DELETE FROM inventory WHERE node = ? AND driver = ? AND resource = ?"
                    try run(sql, [report.node, report.driver, resource])
                    try recordSightings(of: resource, nil, driver: report.driver, node: report.node)
                case .seen(let resource, let state):
                    try upsert(
                        InventoryRecord(
                            node: report.node, driver: report.driver, resource: resource,
                            generation: report.generation, state: state, updatedAt: time))
                    try recordSightings(of: resource, state, driver: report.driver, node: report.node)
                }
            }
            if isLast { try sumInventory(report.driver, of: report.node) }
            note(.node, report.node, node: report.node)
        }
    }

    private func raiseOversized(_ report: InventoryReport, at time: Timestamp) throws(StoreError) {
        let name = try node(report.node)?.name ?? report.node
        try raise(
            Finding(
                "inventory.oversized", subject: "node/\(report.node)", .warning, node: report.node,
                summary: "Node \(name) says more of its \(report.driver.capped(to: 64)) resources than is kept.",
                remedy: "See what it reports: a list of this length, or a state of this size, is no ordinary one.",
                data: [
                    "driver": .string(report.driver.capped(to: 64)), "resources": .integer(Int64(report.items.count)),
                ]),
            at: time)
    }

    package func inventory(node: String, driver: String? = nil) throws(StoreError) -> [InventoryRecord] {
        var conditions = Conditions()
        conditions.equal("node", node)
        conditions.equal("driver", driver)
        return try select(InventoryRecord.self, "\(conditions.sql) ORDER BY driver, resource", conditions.values)
    }

    package func inventory(node: String, resource: String) throws(StoreError) -> InventoryRecord? {
        try first(InventoryRecord.self, "WHERE node = ? AND resource = ?", [node, resource])
    }

    /// The nodes that have reported a resource of this name.
    package func nodes(reporting resource: String) throws(StoreError) -> [String] {
        let sql = "SELECT node FROM inventory WHERE resource = ? ORDER BY node"
        return try rows(sql, [resource]) { (row) throws(SQLError) in try row.text() }
    }

    /// Resources by node, driver and name.
    package func inventory(
        _ filter: InventoryFilter, page request: PageRequest = PageRequest()
    ) throws(StoreError) -> Page<InventoryRecord> {
        var conditions = Conditions()
        conditions.equal("node", filter.node)
        conditions.equal("driver", filter.driver)
        conditions.equal("resource", filter.resource)
        if let after = request.after {
            // What a node calls a resource may hold anything but a line break.
            let place = after.split(separator: "\n", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
            guard place.count == 3 else { throw .invalid("that is no place in the inventory") }
            conditions.add("(node, driver, resource) > (?, ?, ?)", place)
        }
        let rest = "\(conditions.sql) ORDER BY node, driver, resource LIMIT ?"
        let found = try select(InventoryRecord.self, rest, conditions.values + [request.limit + 1])
        let last = found.count > request.limit ? found[request.limit - 1] : nil
        return Page(
            items: Array(found.prefix(request.limit)),
            next: last.map { "\($0.node)\n\($0.driver)\n\($0.resource)" })
    }
}

/// One row that differs.
private enum InventoryChange {
    case gone(String)
    case seen(String, JSONObject)
}
