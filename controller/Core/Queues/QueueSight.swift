import Logging
import Model
import Store
import WireProtocol

/// What a look at the work on a row has shown.
enum QueueSight: Sendable {
    /// There is nothing new to tell.
    case later(Duration)
    /// - Parameter isLast: whether nothing more is to come.
    case news(QueueNews, isLast: Bool)
    /// Nothing more is to come, and nothing to be told.
    case over

    private static let there: Set<ServiceRecord.State> = [.running, .suspending, .suspended, .resuming, .upgrading]

    static func take(_ claim: QueueClaimRecord, _ dependencies: Dependencies) async throws -> QueueSight {
        let store = dependencies.store
        guard let id = claim.service, let service = try await store.service(id) else {
            return claim.state == .watching ? .over : .news(.failed("its service is not there any more"), isLast: true)
        }
        let last = try await store.unfinishedOperations(service: id).last
        if there.contains(service.state), claim.state == .watching || last?.id != claim.operation || last == nil {
            return try await whole(service, claim, dependencies)
        }
        if claim.state == .watching, service.state != .pending, service.state != .provisioning { return .over }
        guard last == nil else { return .later(.seconds(5)) }
        guard service.state != .pending, service.state != .provisioning else { return .later(.seconds(60)) }
        var reason: String?
        if let id = claim.operation { reason = try await store.operation(id)?.error?.message }
        return .news(.failed(reason ?? "it was called off"), isLast: true)
    }

    /// Of a service that is there.
    private static func whole(
        _ service: ServiceRecord, _ claim: QueueClaimRecord, _ dependencies: Dependencies
    ) async throws -> QueueSight {
        let address = service.address
        var remarks: [String] = []
        var isLast = true
        if address["certificate"] == "wanted" {
            isLast = false
            remarks.append(
                "the certificate cannot be had yet: \(address["certificate_reason"]?.asString ?? "it is tried again")")
        }
        var tracking = address["analytics_id"].flatMap { $0.asString ?? $0.asInteger.map { String($0) } }
        if tracking == nil {
            if service.spec["analytics"]?.asString != nil {
                isLast = false
            } else {
                switch await QueueTracking(claim, dependencies).id(of: service) {
                case .none?: isLast = false
                case let id?: tracking = id
                case nil: break
                }
            }
        }
        return .news(
            .active(
                docRoot: address["doc_root"]?.asString, tracking: tracking,
                remark: remarks.isEmpty ? nil : remarks.joined(separator: "; ")), isLast: isLast)
    }
}

/// Has the visits of a site counted by credentials that came with a request, or stand in a table. It helps and is not needed:
/// where Matomo is down the site is up, and this is tried again.
struct QueueTracking: Sendable {
    private let claim: QueueClaimRecord
    private let dependencies: Dependencies

    init(_ claim: QueueClaimRecord, _ dependencies: Dependencies) {
        (self.claim, self.dependencies) = (claim, dependencies)
    }

    /// Nil where nobody counts; nil inside where it is still to come.
    func id(of service: ServiceRecord) async -> String?? {
        do {
            guard let sites = try await provider()?.sites else { return nil }
            let mark = service.id
            if let known = try await sites.find(claim.domain, mark), let id = known.thing.id { return .some(id) }
            try await sites.put(AnalyticsSite(domain: claim.domain), mark)
            return .some(try await sites.find(claim.domain, mark)?.thing.id)
        } catch {
            dependencies.logger.warning(
                "the visits of a site are not counted yet",
                metadata: ["domain": "\(claim.domain)", "error": "\(Operations.sentence(error))"])
            return .some(nil)
        }
    }

    private func provider() async throws -> AnalyticsProvider? {
        let source = try await QueueSource(of: claim, dependencies)
        var settings: JSONObject
        switch source.counting {
        case .none: return nil
        case .given(let given): settings = given
        case .table(let table):
            let place = TablePort.Table(table.table, key: table.url)
            guard let row = try await source.tables.rows(place, [table.url, table.token], [:], nil, 1).first,
                let url = row[table.url]?.asString, let token = row[table.token]?.asString, !url.isEmpty
            else { return nil }
            settings = ["url": .string(url), "token": .string(token)]
        }
        settings["adopt"] = .bool(source.settings.adopts)
        // Who writes the table is not the operator: what it says leads to the public Internet alone, unless he said otherwise.
        let reach = source.request == nil ? .publicInternet : source.reach
        return try dependencies.integrations.connection(
            QueueSource.analyticsKind, settings, name: "of the queue", reach: reach
        ).analytics
    }
}
