import Logging
import Model
import Store
import WireProtocol

/// Compares what should run with what the nodes report, and says where they differ. It removes nothing, ever. Only a
/// service whose specification says `repair` gets its container back, as an operation that everybody can see.
struct ServiceDrift: Reconciler {
    let name = "drift"
    let interval = Duration.seconds(60)
    let operations: Operations
    /// Reports of the agents lag behind what operations do.
    static let grace = Duration.seconds(60)

    /// Nodes that are looked at side by side: one that does not answer holds up no other.
    static let breadth = 16

    func reconcile(_ world: World) async throws {
        var nodes = await world.agents.connected().sorted()[...]
        try await withThrowingTaskGroup { group in
            for node in nodes.prefix(Self.breadth) { group.addTask { try await examine(node, world) } }
            nodes = nodes.dropFirst(Self.breadth)
            while try await group.next() != nil {
                if let node = nodes.popFirst() { group.addTask { try await examine(node, world) } }
            }
        }
    }

    private func examine(_ node: String, _ world: World) async throws {
        let reported = try await world.store.inventory(node: node, driver: "docker")
        let states = Dictionary(reported.map { ($0.resource, $0.state) }, uniquingKeysWith: { $1 })
        for service in try await world.store.services(onNode: node) {
            // A node that gives no answer gives none to the next question either.
            guard try await examine(service, states, world) else { return }
        }
    }

    /// False when the node was asked and gave no answer.
    private func examine(
        _ service: ServiceRecord, _ states: [String: JSONObject], _ world: World
    ) async throws -> Bool {
        let now = world.clock.now()
        guard [.running, .suspended].contains(service.state), (now - service.updatedAt).magnitude > Self.grace
        else { return true }
        guard let place = try await world.store.place(of: service.id) else { return true }
        let reported = states["docker/\(place.container)"]
        var drift = Drift(of: service, reported: reported.map { .seen($0) } ?? .missing)
        // What was reported may be old news: before anybody is alarmed, the node is asked.
        if drift != nil {
            switch await ask(place, service, world) {
            case .report(let seen): drift = Drift(of: service, reported: seen)
            case .unclear: return true
            case .silence: return false
            }
        }
        let known = service.observed["drift"]?["kind"]?.asString
        guard drift?.rawValue != known else { return true }
        try await record(drift, service, place, world, at: now)
        return true
    }

    private enum Answer {
        case report(Drift.Report)
        /// None that can be relied on.
        case unclear
        case silence
    }

    private func ask(_ place: ServicePlace, _ service: ServiceRecord, _ world: World) async -> Answer {
        let call = AgentCall(
            id: Identifier.make("look"), resource: "docker/\(place.container)", generation: service.generation * 2 + 1,
            driver: "docker", operation: "container.inspect", arguments: ["name": .string(place.container)],
            deadline: .seconds(30), trace: nil, step: name, isLook: true)
        guard let result = try? await world.agents.perform(call, place.node) else { return .silence }
        if result.status == .succeeded { return .report(.seen(result.observed)) }
        return result.error?.code == .notFound ? .report(.missing) : .unclear
    }

    private func record(
        _ drift: Drift?, _ service: ServiceRecord, _ place: ServicePlace, _ world: World, at now: Timestamp
    ) async throws {
        let (id, generation) = (service.id, service.generation)
        let isCurrent = try await world.store.atomically { store throws(StoreError) in
            // An operation that began meanwhile makes all this old.
            guard let present = try store.service(id), present.generation == generation, present.state == service.state,
                try store.unfinishedOperations(service: id).isEmpty
            else { return false }
            try store.updateService(id, at: now) { record in
                record.observed["drift"] = drift.map {
                    ["kind": .string($0.rawValue), "since": .integer(now.milliseconds)]
                }
            }
            let subject = "service/\(id)"
            if let drift {
                try store.raise(
                    Finding(
                        "service.drift", subject: subject, .error, node: place.node, service: id,
                        summary: "Service \(present.externalID ?? id): \(drift.sentence)", remedy: drift.remedy,
                        data: ["drift": .string(drift.rawValue)]), at: now)
            } else {
                try store.resolve("service.drift", subject: subject, by: "reconciler/\(name)", at: now)
            }
            return true
        }
        guard isCurrent, let drift else { return }
        world.logger.warning("a service is not as it should be", metadata: ["service": "\(id)", "drift": "\(drift)"])
        guard service.state == .running, drift.isRepairable, (try? PlanSpec(json: service.spec))?.repairs == true else {
            return
        }
        // Of a service that has not been touched since the store was restored, nobody knows what was wished of it last.
        if let restored = try await world.store.restoredAt(), service.updatedAt < restored { return }
        _ = try await operations.repair(id, by: Requester(name: "reconciler/\(name)"))
    }
}

extension Duration {
    fileprivate var magnitude: Duration { self < .zero ? .zero - self : self }
}

/// How a container differs from what its service should be.
enum Drift: String, Sendable {
    case missing, stopped
    /// It runs although the service is suspended.
    case running
    /// The name is taken by a container of somebody else.
    case foreign

    enum Report: Sendable {
        case missing
        case seen(JSONObject)
    }

    var isRepairable: Bool { self == .missing || self == .stopped }

    /// Behind the service's name.
    var sentence: String {
        switch self {
        case .missing: "its container is not there."
        case .stopped: "its container does not run."
        case .running: "its container runs although it is suspended."
        case .foreign: "the name of its container is taken by somebody else's."
        }
    }

    var remedy: String {
        switch self {
        case .missing, .stopped: "Bring it back with innctl service repair."
        case .running: "See who has started it, and stop it on its node."
        case .foreign: "Look at that container on the node; give the name free, then repair the service."
        }
    }

    /// Nil when all is as it should be.
    init?(of service: ServiceRecord, reported: Report) {
        switch reported {
        case .missing: self = .missing
        case .seen(let state):
            let runs = ["running", "restarting", "paused"].contains(state["state"]?.asString ?? "")
            if let owner = state["service"]?.asString, owner != service.id {
                self = .foreign
            } else if service.state == .running, !runs {
                self = .stopped
            } else if service.state == .suspended, runs {
                self = .running
            } else {
                return nil
            }
        }
    }
}
