import APIModels
import Model
import Store
import WireProtocol

/// A row that was taken, by whomever.
struct TakenRow: Sendable, Hashable {
    var claim: QueueClaimRecord
    /// False where it had been taken before and is under way.
    var isNew: Bool
}

extension Operations {
    /// A row whose write-backs were given up is left alone for so long, unless somebody asks.
    static let deadRest = Duration.seconds(3600)

    /// Takes a row and makes a service of it, in one transaction. Nil where its turn has not come.
    /// - Parameters:
    ///   - readAt: when the asking for the row began. Whoever was told something later than that may not say so in it yet.
    ///   - placement: labels that the node must carry.
    ///   - isAsked: whether somebody asks for it now.
    /// - Throws: what is wrong with the queue, not with the row: that is told to the row.
    func take(
        _ row: QueueRow, of source: QueueSource, readAt: Timestamp, placement: [String: String], isAsked: Bool
    ) async throws(CoreError) -> TakenRow? {
        let (now, catalogue) = (now, dependencies.catalogue)
        let overrides = source.overrides(row, placement)
        let taken: Result<TakenRow?, CoreError>
        do throws(CoreError) {
            taken = .success(
                try await record { store throws(StoreError) in
                    if let known = try store.known(row, source, readAt: readAt, isAsked: isAsked, at: now) {
                        return .success(known.taken)
                    }
                    guard row.domain != nil else {
                        return .failure(.invalid(field: "overrides.domain", problem: "is no name of a site"))
                    }
                    return try store.make(row, source, overrides, catalogue, at: now)
                })
        } catch { taken = .failure(error) }
        switch taken {
        case .success(let taken): return taken
        case .failure(let error):
            guard let problem = source.problem(ofRow: error) else { throw error }
            return try await refuse(row, of: source, readAt: readAt, because: problem, isAsked: isAsked)
        }
    }

    /// Takes a row of which nothing can be made, and tells it so.
    private func refuse(
        _ row: QueueRow, of source: QueueSource, readAt: Timestamp, because problem: String, isAsked: Bool
    ) async throws(CoreError) -> TakenRow? {
        let now = now
        return try await record { store throws(StoreError) in
            if let known = try store.known(row, source, readAt: readAt, isAsked: isAsked, at: now) {
                return .success(known.taken)
            }
            var claim = QueueClaimRecord(
                id: Identifier.make("clm"), place: source.place, row: row.text, queue: source.queue,
                request: source.request, domain: row.domain ?? row.shownDomain, state: .ending, createdAt: now)
            claim.problem = QueueText.reason(problem)
            try store.insertClaim(claim)
            let told = try store.post(.failed(problem), of: claim, source.settings, at: now)
            return .success(TakenRow(claim: told, isNew: true))
        }
    }
}

extension QueueSource {
    fileprivate func overrides(_ row: QueueRow, _ placement: [String: String]) -> JSONObject {
        var overrides: JSONObject = ["domain": .string(row.domain ?? "")]
        if settings.adopts { overrides["adopt"] = "same_user" }
        overrides["analytics"] = settings.analytics.map { .string($0) }
        if !placement.isEmpty { overrides["placement"] = ["labels": .strings(placement)] }
        return overrides
    }

    /// Why nothing can be made of a row; nil for what is the queue's own trouble.
    fileprivate func problem(ofRow error: CoreError) -> String? {
        switch error {
        case .invalid(let field, let problem) where field.hasPrefix("overrides.domain"),
            .unusable(let field, let problem) where field.hasPrefix("overrides.domain"):
            "the domain \(problem)"
        case .conflict(let sentence): sentence
        case .notAllowedInState(let resource, let state, let reason): "\(resource) is \(state): \(reason)"
        default: nil
        }
    }
}

/// What is known of a row already.
private struct Known: Sendable {
    /// Nil for one that is left alone now.
    var taken: TakenRow?
}

extension Store {
    /// Nil for a row that may be taken.
    fileprivate func known(
        _ row: QueueRow, _ source: QueueSource, readAt: Timestamp, isAsked: Bool, at time: Timestamp
    ) throws(StoreError) -> Known? {
        guard let claim = try newestClaim(ofRow: row.text, in: source.place) else { return nil }
        // One that ended after the row was asked for has told it something else than what was read.
        if claim.finishedAt.map({ $0 > readAt }) ?? true {
            return Known(taken: TakenRow(claim: claim, isNew: false))
        }
        guard claim.state == .dead, let end = claim.finishedAt, !isAsked, time - end < Operations.deadRest else {
            return nil
        }
        return Known(taken: nil)
    }

    fileprivate func make(
        _ row: QueueRow, _ source: QueueSource, _ overrides: JSONObject, _ catalogue: Catalogue, at time: Timestamp
    ) throws(StoreError) -> Result<TakenRow?, CoreError> {
        let (settings, by) = (source.settings, source.requester)
        let made: (service: String, operation: String?)
        switch try present(row, source) {
        case .busy: return .success(nil)
        case .other(let objection): return .failure(objection)
        case .there(let service):
            switch try worked(service, catalogue, by: by, at: time) {
            case .failure(let error): return .failure(error)
            case .success(let operation): made = (service.id, operation)
            }
        case .none(let externalID):
            let request = ServiceRequest(
                externalID: externalID, customer: settings.customer, plan: settings.plan, overrides: overrides)
            switch try create(request, catalogue, by: by, at: time) {
            case .failure(let error): return .failure(error)
            case .success(let order): made = (order.service.id, order.operation.id)
            }
        }
        let claim = QueueClaimRecord(
            id: Identifier.make("clm"), place: source.place, row: row.text, queue: source.queue,
            request: source.request, domain: row.domain ?? "", service: made.service, operation: made.operation,
            createdAt: time)
        try insertClaim(claim)
        guard settings.words.claimed != nil else { return .success(TakenRow(claim: claim, isNew: true)) }
        return .success(TakenRow(claim: try post(.claimed, of: claim, settings, at: time), isNew: true))
    }

    private enum Present {
        /// The external id under which it can be made.
        case none(externalID: String)
        case there(ServiceRecord)
        /// It is being removed.
        case busy
        case other(CoreError)
    }

    /// The service that the row has become before.
    private func present(_ row: QueueRow, _ source: QueueSource) throws(StoreError) -> Present {
        for number in 1...1000 {
            let externalID = source.externalID(row, number)
            guard let service = try service(externalID: externalID) else { return .none(externalID: externalID) }
            if service.state == .terminated { continue }
            if service.state == .terminating { return .busy }
            if let domain = service.spec["domain"]?.asString, domain != row.domain {
                return .other(
                    .conflict(
                        "this row was made the site \(domain), which is still there: terminate it before the row gets another domain"
                    ))
            }
            return .there(service)
        }
        return .other(.conflict("this row was made a site and removed a thousand times"))
    }

    /// What brings a service that is there to what it should be, or has done so; nil where nobody knows any more.
    private func worked(
        _ service: ServiceRecord, _ catalogue: Catalogue, by requester: Requester, at time: Timestamp
    ) throws(StoreError) -> Result<String?, CoreError> {
        if let running = try unfinishedOperations(service: service.id).last { return .success(running.id) }
        guard let product = catalogue.product(of: service), let verb = product.verb(.begins)?.verb else {
            return .failure(.conflict("this version knows no product \(service.product)"))
        }
        guard service.state == .failed else {
            let filter = OperationFilter(service: service.id, kind: verb.name)
            let newest = PageRequest(limit: 1, order: .descending)
            return .success(try operations(filter, page: newest).items.first?.id)
        }
        return .success(try queue(verb, on: service, of: product, by: requester, at: time).operation.id)
    }
}
