import Logging
import Model
import Store
import WireProtocol

/// Compares what should run with what there is, and says where they differ. It removes nothing, ever. Only a service whose
/// specification says so is repaired, as an operation that everybody can see.
struct ServiceDrift: Reconciler {
    let name = "drift"
    let interval = Duration.seconds(60)
    let operations: Operations
    /// Reports of the agents lag behind what operations do.
    static let grace = Duration.seconds(60)

    /// Nodes that are looked at side by side: one that does not answer holds up no other.
    static let breadth = 16

    func reconcile(_ dependencies: Dependencies) async throws {
        let watched = dependencies.catalogue.products.filter { $0.drift != nil }
        let nodes = await dependencies.agents.connected().sorted()
        try await sideBySide(nodes, atMost: Self.breadth) { node in try await examine(node: node, dependencies) }
        for product in watched where product.placement == nil { try await examine(product, dependencies) }
    }

    private func examine(node: String, _ dependencies: Dependencies) async throws {
        var inventories: [String: [String: JSONObject]] = [:]
        for service in try await dependencies.store.services(onNode: node) {
            guard let watch = dependencies.catalogue.product(of: service)?.drift else { continue }
            if let driver = watch.driver, inventories[driver] == nil {
                let reported = try await dependencies.store.inventory(node: node, driver: driver)
                inventories[driver] = Dictionary(
                    reported.map { ($0.resource, $0.state) }, uniquingKeysWith: { $1 })
            }
            // A node that gives no answer gives none to the next question either.
            let states = watch.driver.flatMap { inventories[$0] }
            guard try await examine(service, watch, states, dependencies) else { return }
        }
    }

    /// Services that lie on no node.
    private func examine(_ product: Product, _ dependencies: Dependencies) async throws {
        guard let watch = product.drift else { return }
        var page = PageRequest(limit: 100)
        while true {
            let filter = ServiceFilter(states: [.running, .suspended], product: product.name)
            let found = try await dependencies.store.services(filter, page: page)
            for service in found.items {
                guard try await examine(service, watch, nil, dependencies) else { return }
            }
            guard let next = found.next else { return }
            page.after = next
        }
    }

    /// False when somebody was asked and gave no answer.
    /// - Parameter states: what the node reported; nil asks at once.
    private func examine(
        _ service: ServiceRecord, _ watch: DriftWatch, _ states: [String: JSONObject]?, _ dependencies: Dependencies
    ) async throws -> Bool {
        let now = dependencies.clock.now()
        guard [.running, .suspended].contains(service.state), (now - service.updatedAt).magnitude > Self.grace
        else { return true }
        let look = try await ServiceLook(service, name: name, dependencies)
        guard let resource = watch.resource(look) else { return true }
        var drift: Drift?
        if let states { drift = watch.judge(service, states[resource].map { .seen($0) } ?? .missing) }
        // What was reported may be old news: before anybody is alarmed, it is asked for.
        if drift != nil || states == nil {
            switch await watch.ask(look, resource) {
            case .report(let seen): drift = watch.judge(service, seen)
            case .unclear: return true
            case .silence: return false
            }
        }
        let known = service.observed["drift"]?["kind"]?.asString
        guard drift?.kind != known else { return true }
        try await record(drift, service, watch, dependencies, at: now)
        return true
    }

    private func record(
        _ drift: Drift?, _ service: ServiceRecord, _ watch: DriftWatch, _ dependencies: Dependencies, at now: Timestamp
    ) async throws {
        guard try await note(drift, service, dependencies, at: now), let drift else { return }
        dependencies.logger.warning(
            "a service is not as it should be", metadata: ["service": "\(service.id)", "drift": "\(drift.kind)"])
        guard service.state == .running, drift.isRepairable, watch.repairs(service) else { return }
        // Of a service that has not been touched since the store was restored, nobody knows what was wished of it last.
        if let restored = try await dependencies.store.restoredAt(), service.updatedAt < restored { return }
        _ = try await operations.repair(service.id, by: Requester(name: "reconciler/\(name)"))
    }

    /// False when an operation that began meanwhile makes all this old.
    private func note(
        _ drift: Drift?, _ service: ServiceRecord, _ dependencies: Dependencies, at now: Timestamp
    ) async throws -> Bool {
        let (id, by) = (service.id, "reconciler/\(name)")
        return try await dependencies.store.atomically { store throws(StoreError) in
            guard let present = try store.service(id), present.generation == service.generation,
                present.state == service.state, try store.unfinishedOperations(service: id).isEmpty
            else { return false }
            try store.updateService(id, at: now) { record in
                record.observed["drift"] = drift.map {
                    ["kind": .string($0.kind), "since": .integer(now.milliseconds)]
                }
            }
            let subject = "service/\(id)"
            guard let drift else {
                try store.resolve("service.drift", subject: subject, by: by, at: now)
                return true
            }
            try store.raise(
                Finding(
                    "service.drift", subject: subject, .error, node: present.node, service: id,
                    summary: "Service \(present.externalID ?? id): \(drift.sentence)", remedy: drift.remedy,
                    data: ["drift": .string(drift.kind)]), at: now)
            return true
        }
    }
}

extension ServiceLook {
    init(_ service: ServiceRecord, name: String, _ dependencies: Dependencies) async throws(StoreError) {
        let held = try await dependencies.store.allocations(service: service.id)
        let reservation = try await dependencies.store.reservation(service: service.id)
        self.init(dependencies: dependencies, service: service, held: held, reservation: reservation, name: name)
    }
}

extension Duration {
    fileprivate var magnitude: Duration { self < .zero ? .zero - self : self }
}
