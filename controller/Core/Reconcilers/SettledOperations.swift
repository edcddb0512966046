import Logging
import Model
import Store
import WireProtocol

/// Resolves operations that need attention and of which nothing is left: a later operation of the same service has put
/// things right, or the node, asked for it, has nothing of the service. It removes nothing on any node.
struct SettledOperations: Reconciler {
    let name = "settled-operations"
    let interval = Duration.seconds(300)
    /// Commands of before may still be under way.
    static let grace = Duration.seconds(60)
    private static let batch = 100

    func reconcile(_ dependencies: Dependencies) async throws {
        let filter = OperationFilter(states: [.needsAttention])
        var request = PageRequest(limit: Self.batch)
        while true {
            let page = try await dependencies.store.operations(filter, page: request)
            for operation in page.items { try await settle(operation, dependencies) }
            guard let next = page.next else { return }
            request.after = next
        }
    }

    private func settle(_ operation: OperationRecord, _ dependencies: Dependencies) async throws {
        guard let id = operation.service, let ended = operation.finishedAt,
            dependencies.clock.now() - ended > Self.grace, let service = try await dependencies.store.service(id),
            let product = dependencies.catalogue.product(of: service), let verb = product.verb(operation.kind)?.verb
        else { return }
        if let later = try await successor(of: operation, verb, product, dependencies.store) {
            return try await resolve(operation, "\(later.kind) \(later.id) has put it right", dependencies)
        }
        guard verb.role == .begins, service.state == .failed,
            try await dependencies.store.unfinishedOperations(service: id).isEmpty
        else { return }
        let look = try await ServiceLook(service, name: name, dependencies)
        guard look.reservation != nil || !look.held.isEmpty else {
            return try await resolve(operation, "the service holds nothing on any node", dependencies)
        }
        guard await product.isGone?(look) == true else { return }
        try await release(service, operation, dependencies)
    }

    /// A later operation after which nothing of this one can be left.
    private func successor(
        of operation: OperationRecord, _ verb: Verb, _ product: Product, _ store: Store
    ) async throws -> OperationRecord? {
        let filter = OperationFilter(states: [.succeeded], service: operation.service)
        let newest = PageRequest(limit: Self.batch, order: .descending)
        return try await store.operations(filter, page: newest).items.first { later in
            guard later.position > operation.position, let other = product.verb(later.kind)?.verb else {
                return false
            }
            return other.settles(verb)
        }
    }

    private func release(_ service: ServiceRecord, _ operation: OperationRecord, _ dependencies: Dependencies)
        async throws
    {
        let (now, by) = (dependencies.clock.now(), Requester(name: "reconciler/\(name)"))
        try await dependencies.store.atomically { store throws(StoreError) in
            // An operation that began meanwhile makes the look old.
            guard try store.service(service.id)?.generation == service.generation,
                try store.unfinishedOperations(service: service.id).isEmpty
            else { return }
            try store.releaseAll(service: service.id, at: now, by: dependencies.allocation)
            try store.updateService(service.id, at: now) { $0.node = nil }
            _ = try store.resolve(operation, because: "nothing of the service is left", by: by, at: now)
        }
    }

    private func resolve(_ operation: OperationRecord, _ reason: String, _ dependencies: Dependencies) async throws {
        let (now, by) = (dependencies.clock.now(), Requester(name: "reconciler/\(name)"))
        try await dependencies.store.atomically { store throws(StoreError) in
            guard try store.operation(operation.id)?.state == .needsAttention else { return }
            _ = try store.resolve(operation, because: reason, by: by, at: now)
        }
    }
}
