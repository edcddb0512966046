import Model
import Store
import WireProtocol

/// What a look into a table has come to.
struct QueueTurn: Sendable {
    /// Rows that have work of ours, whether it began now or before.
    var taken: [TakenRow] = []
    /// Rows without a key by which they could be told anything.
    var keyless = 0
    /// The key behind which the next look begins; nil for the first.
    var after: JSONValue?
    /// What has broken it off.
    var problem: (any Error)?
}

/// One look into a table: takes what waits there, a bounded number of rows.
struct QueueRun: Sendable {
    /// Rows of a page.
    static let page = 100
    /// Rows that are looked at in a turn.
    static let rows = 5000
    /// How long a turn goes on.
    static let patience = Duration.seconds(120)

    let operations: Operations
    let source: QueueSource
    /// Rows that are newly taken in a turn.
    var most = 100
    /// Whether somebody asks for it now.
    var isAsked = false

    /// - Parameters:
    ///   - site: the key of the one row that is wanted.
    ///   - start: the key behind which it begins.
    func turn(only site: JSONValue? = nil, after start: JSONValue? = nil) async -> QueueTurn {
        var turn = QueueTurn()
        turn.after = start
        do {
            try await requireColumns()
            let servers = try await servers()
            try await look(site, servers, &turn)
        } catch { turn.problem = error }
        return turn
    }

    private func look(_ site: JSONValue?, _ servers: [String]?, _ turn: inout QueueTurn) async throws {
        let (sites, words, clock) = (source.settings.sites, source.settings.words, operations.dependencies.clock)
        var filters: JSONObject = [
            sites.statusDNS: .string(words.ready), sites.statusHosting: .string(words.pending),
        ]
        if let site { filters[sites.key] = site }
        let (begun, wanted) = (clock.uptime(), filters)
        var (seen, new) = (0, 0)
        while seen < Self.rows, new < most, clock.uptime() - begun < Self.patience, !Task.isCancelled {
            let readAt = clock.now()
            let rows = try await source.tables.rows(
                source.sitesTable, [sites.domain], wanted, turn.after, site == nil ? Self.page : 1)
            guard !rows.isEmpty else { return turn.after = nil }
            for row in rows.prefix(Self.page) {
                guard new < most else { return }
                seen += 1
                guard let row = QueueRow(row, sites) else {
                    turn.keyless += 1
                    continue
                }
                let labels = try placement(row, servers)
                if let taken = try await operations.take(
                    row, of: source, readAt: readAt, placement: labels, isAsked: isAsked)
                {
                    turn.taken.append(taken)
                    new += taken.isNew ? 1 : 0
                }
                turn.after = row.key
            }
            // A table that says the same again and again has no end.
            guard site == nil, let last = rows.last?[sites.key], QueueRow.isKey(last) else { return turn.after = nil }
            turn.after = last
        }
    }

    /// What could not be told afterwards is not made.
    private func requireColumns() async throws {
        let sites = source.settings.sites
        guard try await source.tables.has(source.sitesTable, sites.columns) else {
            throw PortError(.refused, "there is no table \(sites.table)")
        }
    }

    // MARK: servers

    /// The addresses of servers that are nodes here; nil where no table says which they are.
    private func servers() async throws -> [String]? {
        let wanted = source.settings.servers
        guard wanted.isUsed else { return nil }
        let table = TablePort.Table(wanted.table, key: wanted.address)
        let rows: [JSONObject]
        do throws(PortError) {
            guard try await source.tables.has(table, [wanted.address]) else { return nil }
            rows = try await source.tables.rows(table, [wanted.address], [:], nil, 1000)
        } catch {
            // It is there for others, or is another one.
            guard error.kind == .refused else { throw error }
            return nil
        }
        let addresses = Set(rows.prefix(1000).compactMap { $0[wanted.address]?.asString }.filter(Self.isAddress))
        guard !addresses.isEmpty else { return nil }
        let labels = source.settings.labels
        let nodes = try await operations.dependencies.store.rooms().filter { node in
            labels.allSatisfy { node.labels[$0.key] == $0.value }
        }
        let known = Set(nodes.compactMap { $0.labels[Self.addressLabel] }).intersection(addresses)
        guard !known.isEmpty else {
            throw PortError(
                .refused,
                "none of the servers in the table \(wanted.table) is a node here; give its node the label address, or set servers.use to false"
            )
        }
        return known.sorted()
    }

    /// Of nodes, under which address the world reaches them.
    static let addressLabel = "address"

    private static func isAddress(_ text: String) -> Bool { !text.isEmpty && Grammar.labelValue.accepts(text) }

    /// The same server for the same row, and the rows over all servers.
    private func placement(_ row: QueueRow, _ servers: [String]?) throws -> [String: String] {
        var labels = source.settings.labels
        guard let servers, !servers.isEmpty else { return labels }
        let place = row.text.utf8.reduce(UInt64(5381)) { ($0 &* 33) ^ UInt64($1) }
        labels[Self.addressLabel] = servers[Int(place % UInt64(servers.count))]
        return labels
    }
}
