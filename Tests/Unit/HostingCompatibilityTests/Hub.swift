import ControllerCore
import Synchronization
import WireProtocol

/// How a hub's database misbehaves for one call.
enum HubFault: Sendable {
    /// It gives no answer, and nothing has happened.
    case silent
    /// It does what it was asked, and its answer is lost.
    case answerLost
    case refuses
}

/// A hub's database, kept by the test: tables with rows, as `TablePort` has them.
final class Hub: Sendable {
    struct State {
        var tables: [String: [JSONObject]] = [:]
        /// By the number of the change, from 1.
        var faults: [Int: HubFault] = [:]
        var isDown = false
        /// Rows can be seen and not changed.
        var isReadOnly = false
        var changes = 0
        /// What was asked of it: `rows sites`, `update sites 1 active`.
        var log: [String] = []
        /// Of Matomo.
        var tracked: [String: String] = [:]
        var isMatomoDown = false
        /// By which addresses it was reached, and how far they might lead.
        var calls: [OutboundRequest] = []
    }

    let state = Mutex(State())
    /// What goes on once between the reading of rows and their arrival.
    let meanwhile = Mutex<(@Sendable () async -> Void)?>(nil)
    static let columns = [
        "id", "domain", "status_dns", "status_hosting", "hosting_doc_root", "matomo_site_id", "error_message",
    ]

    func change(_ body: (inout State) -> Void) { state.withLock { body(&$0) } }
    var log: [String] { state.withLock { $0.log } }
    var updates: [String] { log.filter { $0.hasPrefix("update") } }
    var calls: [OutboundRequest] { state.withLock { $0.calls } }

    /// A row that waits for a site.
    func add(_ id: JSONValue, _ domain: JSONValue, hosting: String = "pending", dns: String = "active") {
        change {
            var row = JSONObject(Hub.columns.map { ($0, .null) })
            (row["id"], row["domain"]) = (id, domain)
            (row["status_dns"], row["status_hosting"]) = (.string(dns), .string(hosting))
            $0.tables["sites", default: []].append(row)
        }
    }

    func row(_ id: JSONValue) -> JSONObject {
        state.withLock { $0.tables["sites"]?.first { $0["id"] == id } } ?? [:]
    }

    func set(_ id: JSONValue, _ fields: JSONObject) {
        change { state in
            guard let index = state.tables["sites"]?.firstIndex(where: { $0["id"] == id }) else { return }
            for field in fields.members { state.tables["sites"]?[index][field.key] = field.value }
        }
    }

    var port: TablePort {
        TablePort(
            has: { table, columns throws(PortError) in
                try self.state.withLock { state in state.has(table.name, [table.key] + columns) }.get()
            },
            rows: { table, columns, filters, after, limit throws(PortError) in
                let rows = try self.state.withLock { $0.rows(table, columns, filters, after, limit) }.get()
                await self.meanwhile.withLock { body in
                    defer { body = nil }
                    return body
                }?()
                return rows
            },
            update: { table, id, fields, filters throws(PortError) in
                try self.state.withLock { $0.update(table, id, fields, filters) }.get()
            })
    }

    var analytics: AnalyticsProvider {
        AnalyticsProvider(
            sites: ObjectProvider(
                find: { domain, mark throws(PortError) in
                    try self.state.withLock { state -> Result<MarkedObject<AnalyticsSite>?, PortError> in
                        guard !state.isMatomoDown else { return .failure(PortError(.silent, "Matomo is silent")) }
                        return .success(
                            state.tracked[domain].map {
                                MarkedObject(AnalyticsSite(domain: domain, id: $0), mark: mark)
                            })
                    }.get()
                },
                put: { site, _ throws(PortError) in
                    self.state.withLock { $0.tracked[site.domain] = "\(40 + $0.tracked.count)" }
                },
                remove: { (domain, _) throws(PortError) in
                    _ = self.state.withLock { $0.tracked.removeValue(forKey: domain) }
                }
            ),
            snippet: { (_) throws(PortError) in "" })
    }

    /// Kinds of integrations that lead here, whatever their settings say; each connection tells by HTTP that it was made.
    var kinds: [IntegrationKind] {
        [
            kind(QueueKinds.tables, ["url", "key"], .tables),
            kind(QueueKinds.analytics, ["url", "token"], .analytics),
        ]
    }

    private func kind(_ name: String, _ fields: [String], _ offer: IntegrationOffer) -> IntegrationKind {
        IntegrationKind(
            name: name, summary: "A hub of tests", offers: [offer],
            schema: [
                "type": "object", "additionalProperties": false, "required": .array(fields.map { .string($0) }),
                "properties": .object(
                    JSONObject((fields + ["adopt"]).map { ($0, $0 == "adopt" ? [:] : ["type": "string"]) })),
            ], secrets: [fields[1]],
            read: { settings, path throws(CoreError) in
                guard settings["url"]?.asString?.contains("://") == true else {
                    throw .invalid(field: "\(path).url", problem: "must be an address")
                }
                return settings
            },
            connect: { settings, outside in
                let url = settings["url"]?.asString ?? ""
                var port = self.port
                port.has = { table, columns throws(PortError) in
                    _ = try await outside.http.send(OutboundRequest("GET", url))
                    return try await self.port.has(table, columns)
                }
                return Integration(
                    analytics: offer == .analytics ? self.analytics : nil, tables: offer == .tables ? port : nil,
                    test: { [] })
            })
    }

    /// The way to the outside: notes what was asked.
    var http: HTTPPort {
        HTTPPort { request throws(PortError) in
            self.change { $0.calls.append(request) }
            return OutboundReply(status: 200)
        }
    }
}

/// As the core knows them.
enum QueueKinds { static let (tables, analytics) = ("supabase", "matomo") }

extension Hub.State {
    fileprivate mutating func has(_ table: String, _ columns: [String]) -> Result<Bool, PortError> {
        guard !isDown else { return .failure(PortError(.silent, "the hub gives no answer")) }
        guard let rows = tables[table] else { return .success(false) }
        if let row = rows.first, let missing = columns.first(where: { row[$0] == nil }) {
            return .failure(PortError(.refused, "column \(table).\(missing) does not exist"))
        }
        return .success(true)
    }

    fileprivate mutating func rows(
        _ table: TablePort.Table, _ columns: [String], _ filters: JSONObject, _ after: JSONValue?, _ limit: Int
    ) -> Result<[JSONObject], PortError> {
        log.append("rows \(table.name)")
        guard !isDown else { return .failure(PortError(.silent, "the hub gives no answer")) }
        var found = (tables[table.name] ?? []).filter { matches($0, filters) }.sorted {
            Self.order($0[table.key]) < Self.order($1[table.key])
        }
        if let after { found = found.filter { Self.order(after) < Self.order($0[table.key]) } }
        return .success(
            found.prefix(limit).map { row in
                JSONObject(([table.key] + columns).map { ($0, row[$0] ?? .null) })
            })
    }

    private static func order(_ value: JSONValue?) -> String {
        guard let number = value?.asInteger else { return value?.text ?? "" }
        let digits = String(number)
        return String(repeating: "0", count: max(0, 12 - digits.count)) + digits
    }

    private func matches(_ row: JSONObject, _ filters: JSONObject) -> Bool {
        // A database compares texts of keys: `eq.5` finds the number 5.
        filters.members.allSatisfy { filter in
            row[filter.key] == filter.value || row[filter.key]?.text == filter.value.asString
        }
    }

    fileprivate mutating func update(
        _ table: TablePort.Table, _ id: JSONValue, _ fields: JSONObject, _ filters: JSONObject
    ) -> Result<Int, PortError> {
        guard !isDown else { return .failure(PortError(.silent, "the hub gives no answer")) }
        guard !isReadOnly else { return .success(0) }
        guard
            let index = tables[table.name]?.firstIndex(where: { $0[table.key] == id && matches($0, filters) })
        else { return .success(0) }
        changes += 1
        log.append("update \(table.name) \(id.text) \(fields["status_hosting"]?.asString ?? "")")
        switch faults[changes] {
        case .silent?: return .failure(PortError(.silent, "the hub gives no answer"))
        case .refuses?: return .failure(PortError(.refused, "permission denied for table sites"))
        case .answerLost?, nil:
            for field in fields.members { tables[table.name]?[index][field.key] = field.value }
            return faults[changes] == nil ? .success(1) : .failure(PortError(.silent, "the answer was lost"))
        }
    }
}
