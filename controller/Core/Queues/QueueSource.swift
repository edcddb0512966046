import Model
import Store
import Transport
package import WireProtocol

/// A table with the way to it, for one use.
struct QueueSource: Sendable {
    /// Who counts visits where no plan says so.
    enum Counting: Sendable, Hashable {
        case none
        /// By credentials that came with the request.
        case given(JSONObject)
        /// By credentials in a table beside the sites.
        case table(QueueSettings.MatomoTable)
    }

    let settings: QueueSettings
    /// Which table it is, whoever looks into it.
    let place: String
    let tables: TablePort
    let counting: Counting
    /// The standing queue, or the request.
    let queue: String?
    let request: String?
    /// Which addresses what the table says may lead to.
    let reach: OutboundRequest.Reach

    var destination: String {
        queue.map { QueueRecord.destination($0) } ?? QueueRequestRecord.destination(request ?? "")
    }

    var sitesTable: TablePort.Table { TablePort.Table(settings.sites.table, key: settings.sites.key) }

    /// For the audit log.
    var requester: Requester { Requester(name: queue.map { "queue/\($0)" } ?? "queue-request/\(request ?? "")") }

    /// Of the service of a row: the same whoever takes it.
    func externalID(_ row: QueueRow, _ number: Int) -> String {
        let table = Crypto.hex(Crypto.sha256(place.utf8)).prefix(10)
        let text = row.key.asInteger.map { String($0) } ?? row.key.asString ?? ""
        let isPlain = text.utf8.count <= 64 && Grammar.externalID.accepts(text)
        let key = isPlain ? text : "sha256-\(Crypto.hex(Crypto.sha256(text.utf8)).prefix(40))"
        return "hosting:\(table):\(key)" + (number == 1 ? "" : ":\(number)")
    }
}

/// What a request brings.
package struct QueueCredentials: Sendable {
    /// Of the integration that offers tables: `url`, `key`.
    package var tables: JSONObject
    /// Of Matomo: `url`, `token`.
    package var matomo: JSONObject?
    /// Whether they may lead into private networks, and to this machine.
    package var allowsPrivate: Bool

    package init(tables: JSONObject, matomo: JSONObject?, allowsPrivate: Bool = false) {
        (self.tables, self.matomo, self.allowsPrivate) = (tables, matomo, allowsPrivate)
    }
}

extension QueueSource {
    /// The kinds of integrations that a request can bring the settings of.
    static let (tablesKind, analyticsKind) = ("supabase", "matomo")

    /// By an integration that the operator has set up.
    init(_ queue: QueueRecord, _ dependencies: Dependencies) async throws(PortError) {
        let settings = try Self.settings(queue.settings)
        let name = settings.tables ?? ""
        let known: IntegrationRecord?
        do throws(StoreError) { known = try await dependencies.store.integration(name) } catch {
            throw PortError(.busy, "the store did not tell of integration \(name): \(error)")
        }
        self.init(
            settings: settings, place: Self.place(known?.settings ?? [:], settings, else: "integration \(name)"),
            tables: try await dependencies.ports.integrations.tables(name),
            counting: settings.matomo.map { .table($0) } ?? .none, queue: queue.name, request: nil, reach: .anywhere)
    }

    /// By what a request has brought, as it is kept. Throws `notSetUp` once it is erased.
    init(_ request: QueueRequestRecord, _ dependencies: Dependencies) throws(PortError) {
        guard request.erasedAt == nil, let tables = request.settings["tables"]?.asObject,
            let kept = request.settings["settings"]?.asObject
        else { throw PortError(.notSetUp, "the credentials of the request are erased") }
        let settings = try Self.settings(kept)
        let reach: OutboundRequest.Reach = request.settings["private"] == true ? .anywhere : .publicInternet
        let connected: Integration
        do throws(CoreError) {
            connected = try dependencies.integrations.connection(
                Self.tablesKind, tables, name: "of the request", reach: reach)
        } catch { throw PortError(.refused, "the request's tables cannot be reached: \(error)") }
        guard let port = connected.tables else {
            throw PortError(.notSetUp, "the kind \(Self.tablesKind) does not offer tables")
        }
        let matomo = request.settings["matomo"]?.asObject
        self.init(
            settings: settings, place: Self.place(tables, settings, else: "request \(request.id)"), tables: port,
            counting: matomo.map { .given($0) } ?? settings.matomo.map { .table($0) } ?? .none, queue: nil,
            request: request.id, reach: reach)
    }

    /// Of whoever took a row.
    init(of claim: QueueClaimRecord, _ dependencies: Dependencies) async throws(PortError) {
        let (queue, request): (QueueRecord?, QueueRequestRecord?)
        do throws(StoreError) {
            let store = dependencies.store
            if let name = claim.queue { queue = try await store.queue(name) } else { queue = nil }
            if let id = claim.request { request = try await store.queueRequest(id) } else { request = nil }
        } catch { throw PortError(.busy, "the store did not tell of the queue: \(error)") }
        if let queue {
            self = try await QueueSource(queue, dependencies)
        } else if let request {
            self = try QueueSource(request, dependencies)
        } else {
            throw PortError(.notSetUp, "its queue is not there any more")
        }
    }

    private static func settings(_ json: JSONObject) throws(PortError) -> QueueSettings {
        do throws(CoreError) { return try QueueSettings(json: json) } catch {
            throw PortError(.refused, "the settings of the queue cannot be used: \(error)")
        }
    }

    /// The same for whoever reaches the same table by the same address.
    static func place(_ integration: JSONObject, _ settings: QueueSettings, else other: String) -> String {
        guard var url = integration["url"]?.asString?.lowercased() else { return "\(other) \(settings.sites.table)" }
        while url.hasSuffix("/") { url.removeLast() }
        if url.hasSuffix("/rest/v1") { url.removeLast("/rest/v1".count) }
        if url.hasPrefix("https://"), url.hasSuffix(":443") { url.removeLast(":443".count) }
        let schema = integration["schema"]?.asString ?? "public"
        return "\(url) \(schema).\(settings.sites.table)"
    }
}
