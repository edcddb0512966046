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

    /// A service that may differ from what it should be, and what its node is asked before anybody is alarmed.
    private struct Suspect {
        var service: ServiceRecord
        var watch: DriftWatch
        var question: Question
        var read: @Sendable (CommandResult) -> DriftWatch.Answer
    }

    func reconcile(_ dependencies: Dependencies) async throws {
        var suspects: [String: [Suspect]] = [:]
        for node in await dependencies.agents.connected() {
            let found = try await self.suspects(on: node, dependencies)
            if !found.isEmpty { suspects[node] = found }
        }
        let answers = await dependencies.looks.askAll(suspects.mapValues { $0.map(\.question) }, by: name)
        for (node, suspects) in suspects {
            for (suspect, look) in zip(suspects, answers[node] ?? []) {
                guard look.missing == nil, let result = look.result,
                    case .report(let seen) = suspect.read(result)
                else { continue }
                let drift = suspect.watch.judge(suspect.service, seen)
                try await record(drift, suspect.service, suspect.watch, dependencies)
            }
        }
        for product in dependencies.catalogue.products where product.placement == nil {
            try await examine(product, dependencies)
        }
    }

    /// Services on a node whose driver reports something else than should be. What is right again is recorded at once.
    private func suspects(on node: String, _ dependencies: Dependencies) async throws -> [Suspect] {
        var inventories: [String: [String: JSONObject]] = [:]
        var suspects: [Suspect] = []
        for service in try await dependencies.store.services(onNode: node) {
            guard isDue(service, dependencies), let watch = dependencies.catalogue.product(of: service)?.drift,
                case .node(let driver, let ask, let read) = watch.source
            else { continue }
            let look = try await ServiceLook(service, name: name, dependencies)
            guard let resource = watch.resource(look) else { continue }
            if inventories[driver] == nil {
                let reported = try await dependencies.store.inventory(node: node, driver: driver)
                inventories[driver] = Dictionary(
                    reported.map { ($0.resource, $0.state) }, uniquingKeysWith: { $1 })
            }
            let state = inventories[driver]?[resource]
            guard watch.judge(service, state.map { .seen($0) } ?? .missing) != nil else {
                try await record(nil, service, watch, dependencies)
                continue
            }
            guard let question = ask(look, resource) else { continue }
            suspects.append(Suspect(service: service, watch: watch, question: question, read: read))
        }
        return suspects
    }

    /// Services that lie on no node.
    private func examine(_ product: Product, _ dependencies: Dependencies) async throws {
        guard let watch = product.drift, case .outside(let ask) = watch.source else { return }
        var page = PageRequest(limit: 100)
        while true {
            let filter = ServiceFilter(states: [.running, .suspended], product: product.name)
            let found = try await dependencies.store.services(filter, page: page)
            for service in found.items where isDue(service, dependencies) {
                let look = try await ServiceLook(service, name: name, dependencies)
                guard let resource = watch.resource(look) else { continue }
                switch await ask(look, resource) {
                case .report(let seen): try await record(watch.judge(service, seen), service, watch, dependencies)
                case .unclear: continue
                case .silence: return
                }
            }
            guard let next = found.next else { return }
            page.after = next
        }
    }

    /// It is at rest, and has been for long enough to be reported as it is.
    private func isDue(_ service: ServiceRecord, _ dependencies: Dependencies) -> Bool {
        [.running, .suspended].contains(service.state)
            && (dependencies.clock.now() - service.updatedAt).magnitude > Self.grace
    }

    private func record(
        _ drift: Drift?, _ service: ServiceRecord, _ watch: DriftWatch, _ dependencies: Dependencies
    ) async throws {
        guard drift?.kind != service.observed["drift"]?["kind"]?.asString else { return }
        let now = dependencies.clock.now()
        guard try await note(drift, service, dependencies, at: now), let drift else { return }
        dependencies.logger.warning(
            "a service is not as it should be", metadata: ["service": "\(service.id)", "drift": "\(drift.kind)"])
        guard service.state == .running, drift.isRepairable, watch.repairs(service) else { return }
        // Of a service that has not been touched since the store was restored, nobody knows what was asked of it last.
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
