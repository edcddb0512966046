import ControllerCore
import Model
import Placement
import ProductKit
import Saga
import Store
import WireProtocol

/// Makes a service: a place on a node, a data set with a quota, the image, a running container, a first snapshot.
enum ProvisionContainer {
    static let saga = SagaDefinition<ContainerScope>(
        kind: Verb.provision.name,
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

    static let place = StepKey<ContainerPlace>("place")
    static let dataset = StepKey<Observation>("dataset")
    static let image = StepKey<NoOutput>("image")
    static let container = StepKey<Observation>("container")
    static let snapshot = StepKey<Observation>("snapshot")

    // MARK: place

    private static func choose(_ scope: ContainerScope, _ call: StepCall) async throws(StepFailure) -> ContainerPlace {
        let id = scope.service.id
        let wanted = PlacementSpec(
            needs: Container.placement, held: { store throws(StoreError) in try store.place(of: id) },
            // A container of this service that is out there was made in a time that this store has forgotten.
            traces: ["docker/\(id)"],
            take: { store, choice, time throws(StoreError) in try store.take(choice, for: scope, at: time) })
        return try await scope.choosePlace(wanted, call)
    }

    private static func release(_ scope: ContainerScope, _ call: StepCall) async throws(StepFailure) {
        try await scope.release()
    }

    // MARK: data set

    private static func makeDataset(_ scope: ContainerScope, _ call: StepCall) async throws(StepFailure) -> Observation
    {
        let place = try call.output(place)
        return Observation(try await scope.send(scope.ensureDataset(place), to: place.node, call))
    }

    private static func destroyDataset(_ scope: ContainerScope, _ call: StepCall) async throws(StepFailure) {
        let place = try call.output(place)
        _ = try await scope.send(scope.destroyDataset(place), to: place.node, call)
    }

    // MARK: image and container

    private static func provideImage(_ scope: ContainerScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        let place = try call.output(place)
        _ = try await scope.send(scope.ensureImage(), to: place.node, call)
        return NoOutput()
    }

    private static func startContainer(_ scope: ContainerScope, _ call: StepCall) async throws(StepFailure)
        -> Observation
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

    private static func removeContainer(_ scope: ContainerScope, _ call: StepCall) async throws(StepFailure) {
        let place = try call.output(place)
        _ = try await scope.send(scope.removeContainer(place), to: place.node, call)
    }

    // MARK: snapshot

    private static func takeSnapshot(_ scope: ContainerScope, _ call: StepCall) async throws(StepFailure) -> Observation
    {
        let place = try call.output(place)
        return Observation(try await scope.send(scope.snapshotDataset(place, named: "initial"), to: place.node, call))
    }

    // MARK: conclusion

    @Sendable static func conclude(
        _ service: inout ServiceRecord, _ operation: OperationRecord, outputs: [String: JSONValue]
    ) {
        var address = outputs[place.name].flatMap { try? ContainerPlace(json: $0).address } ?? [:]
        address["mountpoint"] = outputs[dataset.name]?["mountpoint"]
        service.address = address
        service.observed = ["container": outputs[container.name] ?? .null, "dataset": outputs[dataset.name] ?? .null]
    }
}

extension Store {
    /// Reservation, names and the service's node, in the transaction that chose them.
    fileprivate func take(
        _ choice: PlacementResult.Choice, for scope: ContainerScope, at time: Timestamp
    ) throws(StoreError) -> ContainerPlace {
        let (service, operation) = (scope.service, scope.operation)
        var place = ContainerPlace(
            node: choice.node, pool: choice.pool, dataset: "\(choice.pool)/innkeeper/\(service.id)",
            container: service.id)
        try reserve(scope.spec.resources, at: place, for: service)
        let subjects = ["zfs/\(place.dataset)", "docker/\(place.container)"]
        let takesMarks = try takesMarks(place.node, driver: "zfs")
        // What was made in a time that this store has forgotten is known by the service alone.
        var isThere = false
        for subject in subjects where try !nodes(reporting: subject).isEmpty { isThere = true }
        let nonce = takesMarks && !isThere ? operation.id : nil
        for (kind, value) in [("dataset", place.dataset), ("container", place.container)] {
            _ = try allocate(
                AllocationRequest(
                    kind: kind, scope: place.node, candidates: [value], node: place.node, service: service.id,
                    operation: operation.id, nonce: nonce), at: time)
        }
        if takesMarks { place.nonces = ContainerPlace.Nonces(dataset: nonce, container: nonce) }
        for wanted in scope.spec.ports {
            let port = try allocate(
                AllocationRequest(
                    kind: "port", scope: place.node, candidates: PortSpec.candidates, node: place.node,
                    service: service.id, operation: operation.id, slot: wanted.slot), at: time)
            place.ports[wanted.slot] = Int64(port.value)
        }
        for subject in subjects {
            try hold(subject, on: place.node, for: service.id, at: time)
        }
        return place
    }
}
