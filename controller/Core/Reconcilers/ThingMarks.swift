import Logging
import Model
import Store
import WireProtocol

/// Looks whether the things of services bear their marks. What is known by none yet is written down; what was made before there were
/// marks is given one, where its name is the service's and it is as ordered; what bears another's is told, and left alone.
struct ThingMarks: Reconciler {
    let name = "marks"
    let interval = Duration.seconds(300)
    /// Orders what gives a mark, as an operation that everybody can see.
    let operations: Operations

    /// A thing whose mark is not the one that the books have, by what was reported.
    private struct Suspect {
        var look: ServiceLook
        var thing: MarkedThing
        var held: AllocationRecord
        var question: Question

        var service: ServiceRecord { look.service }
        var resource: String { thing.resource(held.value) }
        var mark: ThingMark { ThingMark(service: service.id, nonce: held.nonce) }
    }

    func reconcile(_ dependencies: Dependencies) async throws {
        var suspects: [String: [Suspect]] = [:]
        for node in await dependencies.agents.connected() {
            let found = try await self.suspects(on: node, dependencies)
            if !found.isEmpty { suspects[node] = found }
        }
        // Reports lag behind what operations do.
        let answers = await dependencies.looks.askAll(suspects.mapValues { $0.map(\.question) }, by: name)
        for (node, suspects) in suspects {
            for (suspect, look) in zip(suspects, answers[node] ?? []) {
                guard look.missing == nil, let state = look.result.flatMap(suspect.thing.answer) else { continue }
                try await judge(suspect, state, on: node, dependencies)
            }
        }
    }

    private func suspects(on node: String, _ dependencies: Dependencies) async throws -> [Suspect] {
        let store = dependencies.store
        var inventories: [String: [String: JSONObject]] = [:]
        var suspects: [Suspect] = []
        let services = try await store.services(onNode: node).filter { isDue($0, dependencies) }
        guard !services.isEmpty, let drivers = try await store.node(node)?.driversWithMarks else { return [] }
        for service in services {
            let things = (dependencies.catalogue.product(of: service)?.things ?? []).filter {
                drivers.contains($0.driver)
            }
            if things.isEmpty { continue }
            let look = try await ServiceLook(service, name: name, dependencies)
            for thing in things {
                guard let held = look.held.first(where: { $0.kind == thing.allocation }) else { continue }
                if inventories[thing.driver] == nil {
                    let reported = try await store.inventory(node: node, driver: thing.driver)
                    inventories[thing.driver] = Dictionary(
                        reported.map { ($0.resource, $0.state) }, uniquingKeysWith: { $1 })
                }
                guard let state = inventories[thing.driver]?[thing.resource(held.value)] else { continue }
                let suspect = Suspect(
                    look: look, thing: thing, held: held, question: thing.question(look, held.value))
                if MarkVerdict(thing.mark(state), against: suspect.mark) == .ours {
                    try await settle(suspect, dependencies)
                } else {
                    suspects.append(suspect)
                }
            }
        }
        return suspects
    }

    /// It is at rest, and has been for long enough to be reported as it is.
    private func isDue(_ service: ServiceRecord, _ dependencies: Dependencies) -> Bool {
        [.running, .suspended].contains(service.state)
            && dependencies.clock.now() - service.updatedAt > ServiceDrift.grace
    }

    private func judge(
        _ suspect: Suspect, _ state: JSONObject, on node: String, _ dependencies: Dependencies
    ) async throws {
        let (thing, service) = (suspect.thing, suspect.service)
        let found = thing.mark(state)
        let isOrdered = thing.isOrdered(suspect.look, state)
        switch MarkVerdict(found, against: suspect.mark) {
        case .ours: try await settle(suspect, dependencies)
        case .unknown(let nonce) where isOrdered:
            try await settle(suspect, noting: nonce, dependencies)
        case .unknown:
            try await tell(
                .unmarked(
                    thing.noun, suspect.resource, of: service, on: node,
                    remedy: "It bears the service's mark and is otherwise than ordered: repair the service."),
                suspect, dependencies)
        case .unmarked where isOrdered && thing.adoption != nil:
            try await adopt(suspect, on: node, dependencies)
        case .unmarked where found != nil:
            try await tell(
                .unmarked(
                    thing.noun, suspect.resource, of: service, on: node,
                    remedy: "Look at it on the node: it is otherwise than ordered, or can be given no mark."),
                suspect, dependencies)
        case .unmarked:
            try await tell(foreign(suspect, on: node, "it bears no mark"), suspect, dependencies)
        case .foreign(let reason): try await tell(foreign(suspect, on: node, reason), suspect, dependencies)
        }
    }

    private func foreign(_ suspect: Suspect, on node: String, _ reason: String) -> Finding {
        .foreign(suspect.thing.noun, suspect.resource, of: suspect.service, on: node, because: reason)
    }

    /// Asks the node to give it its mark. The node's owner has the last word: until he allows it, it is a finding.
    private func adopt(_ suspect: Suspect, on node: String, _ dependencies: Dependencies) async throws {
        guard let adoption = suspect.thing.adoption?(suspect.held.value) else { return }
        let action = "\(suspect.thing.driver).\(adoption.action)"
        if try await dependencies.store.allows(action, on: node), await order(action, adoption.arguments, suspect, node)
        {
            return
        }
        try await tell(
            .unmarked(
                suspect.thing.noun, suspect.resource, of: suspect.service, on: node,
                remedy: "It is given its mark within a day of the node's policy allowing \(action)."),
            suspect, dependencies)
    }

    /// Under the same key each time, so that what was refused is asked for once a day and not at each round.
    /// - Returns: false when it was ordered before, to no avail, or cannot be.
    private func order(_ action: String, _ arguments: JSONObject, _ suspect: Suspect, _ node: String) async -> Bool {
        let request = CommandRequest(
            operation: action, resource: suspect.resource,
            arguments: arguments.merged(with: ["mark": suspect.mark.json]))
        let requester = Requester(
            name: "reconciler/\(name)", idempotencyKey: "\(action) \(suspect.service.id) \(suspect.held.value)")
        do throws(CoreError) {
            return try await operations.command(request, on: node, by: requester).created
        } catch { return false }
    }

    private func settle(_ suspect: Suspect, noting nonce: String? = nil, _ dependencies: Dependencies) async throws {
        let (now, by) = (dependencies.clock.now(), "reconciler/\(name)")
        try await dependencies.store.atomically { store throws(StoreError) in
            guard try store.isAsItWas(suspect.service) else { return }
            if let nonce {
                try store.noteNonce(
                    nonce, of: suspect.held.kind, suspect.held.value, service: suspect.service.id)
            }
            try store.settleMark(of: suspect.thing.noun, service: suspect.service.id, by: by, at: now)
        }
    }

    /// False when an operation that began meanwhile makes all this old.
    @discardableResult
    private func tell(_ finding: Finding, _ suspect: Suspect, _ dependencies: Dependencies) async throws -> Bool {
        let now = dependencies.clock.now()
        return try await dependencies.store.atomically { store throws(StoreError) in
            guard try store.isAsItWas(suspect.service) else { return false }
            if try store.raise(finding, at: now) {
                dependencies.logger.warning("\(finding.summary)", metadata: ["service": "\(suspect.service.id)"])
            }
            return true
        }
    }
}

extension Store {
    fileprivate func isAsItWas(_ service: ServiceRecord) throws(StoreError) -> Bool {
        guard let present = try self.service(service.id) else { return false }
        let isIdle = try unfinishedOperations(service: service.id).isEmpty
        return isIdle && present.generation == service.generation && present.state == service.state
    }

    /// Whether a node has not said that its owner forbids it.
    fileprivate func allows(_ action: String, on node: String) throws(StoreError) -> Bool {
        let words = action.split(separator: ".", maxSplits: 1).map(String.init)
        let driver = try catalogue(of: node)?.asArray?.first { $0["driver"]?.asString == words.first }
        let offer = driver?["operations"]?.asArray?.first { $0["name"]?.asString == words.last }
        return offer?["allowed"] != false
    }
}
