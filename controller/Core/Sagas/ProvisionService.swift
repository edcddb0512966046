import Model
import Placement
import Saga
import Store
import WireProtocol

/// Makes a service: a place on a node, a data set with a quota, the image, a running container, a first snapshot.
enum ProvisionService: ServiceSaga {
    static let kind = OperationKind.provision

    static let definition = SagaDefinition<ServiceScope>(
        kind: kind.rawValue,
        steps: [
            // Patient enough for nodes to come back after the controller has started.
            SagaStep(
                place, retry: RetryPolicy(attempts: 6, first: .seconds(2), most: .seconds(20)), places: true,
                act: choose,
                undo: release),
            SagaStep(dataset, act: makeDataset, undo: destroyDataset),
            SagaStep(image, deadline: .seconds(900), act: provideImage),
            SagaStep(container, act: startContainer, undo: removeContainer),
            SagaStep(snapshot, weight: .auxiliary, act: takeSnapshot),
        ])

    static let place = StepKey<ServicePlace>("place")
    static let dataset = StepKey<Observation>("dataset")
    static let image = StepKey<NoOutput>("image")
    static let container = StepKey<Observation>("container")
    static let snapshot = StepKey<Observation>("snapshot")

    // MARK: place

    private static func choose(_ scope: ServiceScope, _ call: StepCall) async throws(StepFailure) -> ServicePlace {
        let connected = await scope.world.agents.connected()
        let loads = await scope.world.agents.loads()
        let now = scope.world.clock.now()
        return try await scope.locally { store throws(StoreError) in
            if let held = try store.place(of: scope.service.id) { return .success(held) }
            var candidates = try store.candidates(connected: connected, loads: loads)
            // A container of this service that is out there was made in a time that this store has forgotten.
            let trusted = Set(candidates.filter(\.approved).map(\.id))
            let homes = try store.nodes(reporting: "docker/\(scope.service.id)").filter(trusted.contains)
            if !homes.isEmpty { candidates.removeAll { !homes.contains($0.id) } }
            let result = Scheduler(rules: scope.rules).place(scope.spec.demand, on: candidates)
            try store.appendLog(
                scope.operation.id,
                result.ranked.prefix(PlacementResult.keptWords).map {
                    OperationLogLine(time: now, level: "info", step: call.step, text: $0.sentence)
                })
            try store.updateOperation(scope.operation.id) {
                var kept = $0.result?.asObject ?? [:]
                kept["placement"] = .object(result.json(limit: PlacementResult.keptWords))
                $0.result = .object(kept)
            }
            guard let choice = result.choice else { return .failure(noRoom(result)) }
            return .success(try store.take(choice, for: scope, at: now))
        }
    }

    /// Nodes that may end the wait by coming back; for those of a larger fleet it takes until the next attempt.
    private static let awaitedNodes = 200

    /// A node that is only away may come back; all else stays as it is until somebody does something.
    private static func noRoom(_ result: PlacementResult) -> StepFailure {
        let awaited = result.words.filter { $0.verdict == .excluded([.notConnected]) }.map(\.node)
        let nodes = result.words.isEmpty ? "there are no nodes" : result.reasons
        return StepFailure(
            awaited.isEmpty ? .final : .retryable, code: "no_room", message: "no node can take the service: \(nodes)",
            effect: .none, awaitedNodes: Array(awaited.prefix(Self.awaitedNodes)))
    }

    private static func release(_ scope: ServiceScope, _ call: StepCall) async throws(StepFailure) {
        try await scope.release()
    }

    // MARK: data set

    private static func makeDataset(_ scope: ServiceScope, _ call: StepCall) async throws(StepFailure) -> Observation {
        let place = try call.output(place)
        return Observation(try await scope.send(scope.ensureDataset(place), to: place.node, call))
    }

    private static func destroyDataset(_ scope: ServiceScope, _ call: StepCall) async throws(StepFailure) {
        let place = try call.output(place)
        _ = try await scope.send(scope.destroyDataset(place), to: place.node, call)
    }

    // MARK: image and container

    private static func provideImage(_ scope: ServiceScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        let place = try call.output(place)
        _ = try await scope.send(scope.ensureImage(), to: place.node, call)
        return NoOutput()
    }

    private static func startContainer(_ scope: ServiceScope, _ call: StepCall) async throws(StepFailure) -> Observation
    {
        let place = try call.output(place)
        guard let mountpoint = try call.output(dataset).object["mountpoint"]?.asString, mountpoint.hasPrefix("/") else {
            throw StepFailure(
                .final, code: "no_mountpoint", message: "data set \(place.dataset) is not mounted anywhere",
                resource: "zfs/\(place.dataset)", effect: .none)
        }
        let order = scope.ensureContainer(place, mountpoint: mountpoint)
        return Observation(try await scope.send(order, to: place.node, call))
    }

    private static func removeContainer(_ scope: ServiceScope, _ call: StepCall) async throws(StepFailure) {
        let place = try call.output(place)
        _ = try await scope.send(scope.removeContainer(place), to: place.node, call)
    }

    // MARK: snapshot

    private static func takeSnapshot(_ scope: ServiceScope, _ call: StepCall) async throws(StepFailure) -> Observation {
        let place = try call.output(place)
        return Observation(try await scope.send(scope.snapshotDataset(place, named: "initial"), to: place.node, call))
    }

    // MARK: conclusion

    static func conclude(_ service: inout ServiceRecord, _ operation: OperationRecord, outputs: [String: JSONValue]) {
        var address = outputs[place.name]?.asObject ?? [:]
        address["mountpoint"] = outputs[dataset.name]?["mountpoint"]
        service.address = address
        service.observed = ["container": outputs[container.name] ?? .null, "dataset": outputs[dataset.name] ?? .null]
    }
}

extension Store {
    /// Reservation, names and the service's node, in the transaction that chose them.
    fileprivate func take(
        _ choice: PlacementResult.Choice, for scope: ServiceScope, at time: Timestamp
    ) throws(StoreError) -> ServicePlace {
        let (service, operation) = (scope.service, scope.operation)
        let place = ServicePlace(
            node: choice.node, pool: choice.pool, dataset: "\(choice.pool)/innkeeper/\(service.id)",
            container: service.id)
        try reserve(scope.spec.resources, at: place, for: service)
        for (kind, value) in [("dataset", place.dataset), ("container", place.container)] {
            _ = try allocate(
                AllocationRequest(
                    kind: kind, scope: place.node, candidates: [value], node: place.node, service: service.id,
                    operation: operation.id), at: time)
        }
        for subject in ["zfs/\(place.dataset)", "docker/\(place.container)"] {
            try hold(subject, on: place.node, for: service.id, at: time)
        }
        try updateService(service.id, at: time) { $0.node = place.node }
        return place
    }
}

extension ServiceScope {
    /// Gives the place back. Only after everything on it is gone.
    func release() async throws(StepFailure) {
        let (id, now, rules) = (service.id, world.clock.now(), world.allocation)
        try await locally { store throws(StoreError) -> Result<Void, StepFailure> in
            try store.releaseAll(service: id, at: now, by: rules)
            try store.updateService(id, at: now) { $0.node = nil }
            return .success(())
        }
    }
}
