import ControllerCore
import Placement
import ProductKit
import Saga
import Store
import WireProtocol

/// Moves the container to another node of its cluster; one that runs is stopped and started on the way. Parameter `node`, without
/// which it takes the best one.
enum MoveSite {
    static let saga = SagaDefinition<SiteScope>(
        kind: Verb.move.name, deadline: .seconds(8 * 3600), unwindAllowance: .seconds(6 * 3600),
        steps: SiteSteps.opening() + [
            SagaStep(target, act: choose),
            SagaStep(moved, deadline: .seconds(6 * 3600), act: move, undo: moveBack),
            SagaStep(books, act: note),
        ])

    static let target = StepKey<MoveTarget>("target")
    static let moved = StepKey<NoOutput>("moved")
    static let books = StepKey<NoOutput>("books")

    /// It must have room, the network and the storage.
    private static func choose(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> MoveTarget {
        let (place, found) = (try call.output(SiteSteps.place), try call.output(SiteSteps.guest))
        let (name, spec, json) = (scope.operation.parameters["node"]?.asString, scope.spec, scope.service.spec)
        let (rules, agents) = (scope.scope.rules, scope.dependencies.agents)
        let (connected, loads) = (await agents.connected(), await agents.loads())
        return try await scope.locally { store throws(StoreError) in
            guard let source = try store.node(found.node), let here = source.proxmoxName else {
                return .failure(.refused("not_found", "nothing is known of the container's node"))
            }
            let targets: Set<String>
            switch try store.targets(from: source, named: name) {
            case .failure(let failure): return .failure(failure)
            case .success(let found): targets = found
            }
            var demand: Demand
            switch try store.demand(WordPress.placement, json) {
            case .failure(let error): return .failure(.refused("invalid", "\(error)"))
            case .success(let complete): demand = complete
            }
            (demand.pool, demand.template, demand.resources) = (place.storage, nil, spec.resources)
            let candidates = try store.candidates(connected: connected, loads: loads, things: demand.things).filter {
                targets.contains($0.id)
            }
            let result = Scheduler(rules: rules).place(demand, on: candidates)
            guard let choice = result.choice, let node = try store.node(choice.node), let there = node.proxmoxName
            else {
                let subject = name.map { "node \($0.prefix(64)) cannot" } ?? "no other node of the cluster can"
                return .failure(.refused("no_room", "\(subject) take it: \(result.reasons)"))
            }
            return .success(
                MoveTarget(from: source.id, fromName: here, to: node.id, toName: there, pool: choice.pool))
        }
    }

    private static func move(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        let (found, target) = (try call.output(SiteSteps.guest), try call.output(target))
        try await scope.migrate(found, to: target.toName, call)
        return NoOutput()
    }

    private static func moveBack(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) {
        let target = try call.output(target)
        var there = try call.output(SiteSteps.place)
        there.node = target.to
        guard let found = try await scope.find(there, call), found.node == target.to else { return }
        try await scope.migrate(found, to: target.fromName, call)
    }

    private static func note(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        let target = try call.output(target)
        try await scope.noteMove(
            SitePlace.resource(call.output(SiteSteps.place).vmid), to: target.to, pool: target.pool)
        return NoOutput()
    }

    @Sendable static func conclude(
        _ service: inout ServiceRecord, _ operation: OperationRecord, outputs: [String: JSONValue]
    ) {
        service.node = outputs[target.name]?["to"]?.asString ?? service.node
    }
}

/// The nodes of a move, by their ids and as Proxmox calls them.
struct MoveTarget: StepOutput, Hashable {
    var from: String
    var fromName: String
    var to: String
    var toName: String
    var pool: String

    init(from: String, fromName: String, to: String, toName: String, pool: String) {
        (self.from, self.fromName, self.to, self.toName, self.pool) = (from, fromName, to, toName, pool)
    }

    init(json: JSONValue) throws {
        let object = json.asObject ?? [:]
        (from, fromName) = (try object.string("from"), try object.string("from_name"))
        (to, toName, pool) = (try object.string("to"), try object.string("to_name"), try object.string("pool"))
    }

    var json: JSONValue {
        [
            "from": .string(from), "from_name": .string(fromName), "to": .string(to), "to_name": .string(toName),
            "pool": .string(pool),
        ]
    }
}

extension SiteScope {
    fileprivate func migrate(_ guest: FoundGuest, to name: String, _ call: StepCall) async throws(StepFailure) {
        _ = try await order(
            "container.migrate", guest, ["target": .string(name), "restart": true, "timeout_s": 180], call)
    }

    /// The books follow the container: room, usage and the service's node.
    func noteMove(_ resource: String, to node: String, pool: String? = nil) async throws(StepFailure) {
        let (id, now) = (service.id, dependencies.clock.now())
        try await locally { store throws(StoreError) -> Result<Void, StepFailure> in
            guard let held = try store.reservation(service: id) else {
                return .failure(.refused("not_placed", "the service holds no place on any node"))
            }
            try store.reserve(held.with(held.resources, node: node, pool: pool))
            try store.hold(resource, on: node, for: id, at: now)
            try store.updateService(id, at: now) { $0.node = node }
            return .success(())
        }
    }
}

extension Store {
    /// The nodes to which a container may go that is on this one: the named one, or all others of its cluster.
    fileprivate func targets(
        from source: NodeRecord, named name: String?
    ) throws(StoreError) -> Result<Set<String>, StepFailure> {
        let cluster = try source.cluster.map { name throws(StoreError) in try nodes(ofCluster: name) } ?? []
        let others = Set(cluster).subtracting([source.id])
        guard let name else {
            guard others.isEmpty else { return .success(others) }
            return .failure(.refused("no_other_node", "node \(source.name) is in no cluster with other nodes"))
        }
        var named = try node(name)
        if named == nil { named = try node(named: name) }
        guard let node = named else {
            return .failure(.refused("not_found", "there is no node \(name.prefix(64))"))
        }
        if node.id == source.id {
            return .failure(.refused("same_node", "the container is on node \(node.name) already"))
        }
        guard others.contains(node.id), node.proxmoxName != nil else {
            return .failure(.refused("other_cluster", "node \(node.name) is not in the container's cluster"))
        }
        return .success([node.id])
    }
}

extension NodeRecord {
    /// What its cluster calls it.
    fileprivate var proxmoxName: String? {
        let driver = facts["drivers"]?.asArray?.first { $0["name"] == "proxmox" }
        return driver?["facts"]?["node"]?.asString
    }
}
