package import Model
package import Placement
package import Saga
package import Store
package import WireProtocol

/// How a service is placed: what it demands, where it must stay, and how the place is taken.
package struct PlacementSpec<Place: Sendable>: Sendable {
    package var needs: PlacementNeeds
    /// The place that the service holds already.
    package var held: @Sendable (isolated Store) throws(StoreError) -> Place?
    /// Resources by which the service may be known to nodes from a time that this store has forgotten.
    package var traces: [String]
    /// The nodes that come into question at all; nil for any.
    package var only: Set<String>?
    /// Takes reservation and names, in the transaction that chose the node.
    package var take: @Sendable (isolated Store, PlacementResult.Choice, Timestamp) throws(StoreError) -> Place

    package init(
        needs: PlacementNeeds, held: @escaping @Sendable (isolated Store) throws(StoreError) -> Place?,
        traces: [String] = [], only: Set<String>? = nil,
        take: @escaping @Sendable (isolated Store, PlacementResult.Choice, Timestamp) throws(StoreError) -> Place
    ) {
        (self.needs, self.held, self.traces, self.take) = (needs, held, traces, take)
        self.only = only
    }
}

extension ServiceWork {
    /// Chooses a node and takes the place there; one that is held already stays. The words on all nodes are noted in the
    /// operation.
    package func choosePlace<Place: Sendable>(
        _ wanted: PlacementSpec<Place>, _ call: StepCall
    ) async throws(StepFailure) -> Place {
        let (rules, operation, node, spec) = (scope.rules, operation.id, service.id, service.spec)
        let connected = await dependencies.agents.connected()
        let loads = await dependencies.agents.loads()
        let now = dependencies.clock.now()
        return try await locally { store throws(StoreError) in
            if let held = try wanted.held(store) { return .success(held) }
            let demand: Demand
            switch try store.demand(wanted.needs, spec) {
            case .failure(let error):
                return .failure(StepFailure(.final, code: "invalid", message: "\(error)", effect: .none))
            case .success(let complete): demand = complete
            }
            var candidates = try store.candidates(connected: connected, loads: loads, things: demand.things)
            let trusted = Set(candidates.filter(\.approved).map(\.id))
            var homes: Set<String> = []
            for trace in wanted.traces { homes.formUnion(try store.nodes(reporting: trace).filter(trusted.contains)) }
            if !homes.isEmpty { candidates.removeAll { !homes.contains($0.id) } }
            if let only = wanted.only { candidates.removeAll { !only.contains($0.id) } }
            let result = Scheduler(rules: rules).place(demand, on: candidates)
            try store.note(result, of: operation, step: call.step, at: now)
            guard let choice = result.choice else { return .failure(.noRoom(result)) }
            try store.updateService(node, at: now) { $0.node = choice.node }
            return .success(try wanted.take(store, choice, now))
        }
    }
}

extension Store {
    /// What a specification demands of a node, with the networks that it names.
    package func demand(_ needs: PlacementNeeds, _ spec: JSONObject) throws(StoreError) -> Result<Demand, CoreError> {
        var demand: Demand
        do throws(CoreError) { demand = try needs.demand(spec) } catch { return .failure(error) }
        for name in needs.networks(spec) {
            guard let record = try network(name) else {
                return .failure(.invalid(field: "spec.network", problem: "names no network: \(name)"))
            }
            let network = try Network(record)
            demand.networks.append(network)
            if network.kind == .docker { demand.things.append(.dockerNetwork(network.interface)) }
        }
        return .success(demand)
    }

    fileprivate func note(
        _ result: PlacementResult, of operation: String, step: String, at time: Timestamp
    ) throws(StoreError) {
        try appendLog(
            operation,
            result.ranked.prefix(PlacementResult.keptWords).map {
                OperationLogLine(time: time, level: "info", step: step, text: $0.sentence)
            })
        try updateOperation(operation) {
            var kept = $0.result?.asObject ?? [:]
            kept["placement"] = .object(result.json(limit: PlacementResult.keptWords))
            $0.result = .object(kept)
        }
    }
}

extension StepFailure {
    /// Nodes that may end the wait by coming back; for those of a larger fleet it takes until the next attempt.
    private static let awaited = 200

    /// A node that is only away may come back; all else stays as it is until somebody does something.
    fileprivate static func noRoom(_ result: PlacementResult) -> StepFailure {
        let away = result.words.filter { $0.verdict == .excluded([.notConnected]) }.map(\.node)
        let nodes = result.words.isEmpty ? "there are no nodes" : result.reasons
        return StepFailure(
            away.isEmpty ? .final : .retryable, code: "no_room", message: "no node can take the service: \(nodes)",
            effect: .none, awaitedNodes: Array(away.prefix(awaited)))
    }
}
