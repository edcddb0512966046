import Model
import Store

/// How a service on a node that is drained stands to leaving it.
enum DrainStanding: Sendable, Hashable {
    /// An operation takes it elsewhere.
    case moving(operation: String)
    case stopping(operation: String)
    /// Its turn to be moved will come; another operation of its own comes before.
    case waiting(operation: String?)
    /// It is to be stopped, for this reason.
    case toStop(String)
    /// Stopped for the drain, and started when that ends.
    case stopped
    /// It stays, for this reason.
    case stays(String)
}

/// What a drain does of itself, as operations that everybody can see.
enum Drains {
    static let requester = Requester(name: "reconciler/drain")
    /// From a move that failed to the next try: another node may have room by then.
    static let rest = Duration.seconds(900)

    static func isOwn(_ operation: OperationRecord) -> Bool { operation.requestedBy == requester.name }
}

extension Store {
    /// The services on a node, and how each stands to leaving it.
    func standings(
        on node: NodeRecord, _ catalogue: Catalogue, at now: Timestamp
    ) throws(StoreError) -> [(service: ServiceRecord, standing: DrainStanding)] {
        var found: [(service: ServiceRecord, standing: DrainStanding)] = []
        for service in try services(onNode: node.id) {
            found.append((service, try standing(of: service, on: node, catalogue, at: now)))
        }
        return found
    }

    func standing(
        of service: ServiceRecord, on node: NodeRecord, _ catalogue: Catalogue, at now: Timestamp
    ) throws(StoreError) -> DrainStanding {
        let queue = try unfinishedOperations(service: service.id)
        if let move = queue.first(where: { $0.kind == Verb.move.name }) { return .moving(operation: move.id) }
        if let stop = queue.first(where: { Drains.isOwn($0) && $0.kind == Verb.suspend.name }) {
            return .stopping(operation: stop.id)
        }
        guard let product = catalogue.product(of: service) else {
            return .stays("this version knows no product \(service.product)")
        }
        if try isStoppedForDrain(service) { return .stopped }
        let (move, stop) = (product.verb(Verb.move.name)?.verb, product.verb(Verb.suspend.name)?.verb)
        let reason: String
        if let move, move.from.contains(service.state) {
            guard let failure = try failedMove(of: service), now - failure.at < Drains.rest else {
                return .waiting(operation: queue.first?.id)
            }
            reason = "its move failed: \(failure.message)"
        } else if move != nil {
            reason = "it is \(service.state.rawValue), and is not moved like that"
        } else {
            reason = "a service of the product \(product.name) cannot be moved"
        }
        guard node.drain == .stops, let stop, stop.from.contains(service.state) else { return .stays(reason) }
        return queue.isEmpty ? .toStop(reason) : .waiting(operation: queue.first?.id)
    }

    /// Whether what stopped a service was a drain, and nobody since.
    func isStoppedForDrain(_ service: ServiceRecord) throws(StoreError) -> Bool {
        guard service.state == .suspended, let last = try newest(Verb.suspend.name, of: service) else { return false }
        return Drains.isOwn(last) && last.state == .succeeded
    }

    private func failedMove(of service: ServiceRecord) throws(StoreError) -> (at: Timestamp, message: String)? {
        // One that was called off with an earlier drain, before it began, says nothing.
        guard let last = try newest(Verb.move.name, of: service), Drains.isOwn(last), last.state != .succeeded,
            last.startedAt != nil
        else { return nil }
        let message = last.error?.message ?? "it was called off"
        return (last.finishedAt ?? last.createdAt, message)
    }

    private func newest(_ kind: String, of service: ServiceRecord) throws(StoreError) -> OperationRecord? {
        let newest = PageRequest(limit: 1, order: .descending)
        return try operations(OperationFilter(service: service.id, kind: kind), page: newest).items.first
    }
}
