import ControllerCore
import ProductKit
import Saga
import Store
import WireProtocol

/// Removes a service: the container, the data set with all snapshots, and only then its names and its reservation.
///
/// It goes forward only. When it cannot go on it needs attention, and is asked for again.
enum TerminateContainer {
    static let saga = SagaDefinition<ContainerScope>(
        kind: Verb.terminate.name, direction: .forward, deadline: .seconds(3600),
        steps: [
            SagaStep(place, retry: persistent, places: true, act: locate),
            SagaStep(container, retry: persistent, act: removeContainer),
            SagaStep(dataset, retry: persistent, deadline: .seconds(300), act: destroyDataset),
            SagaStep(release, retry: persistent, act: giveBack),
        ])

    private static let persistent = RetryPolicy(attempts: 5, first: .seconds(1), most: .seconds(60))

    /// Nil for a service that never had a place: there is nothing to remove.
    static let place = StepKey<ContainerPlace?>("place")
    static let container = StepKey<Observation>("container")
    static let dataset = StepKey<Observation>("dataset")
    static let release = StepKey<NoOutput>("release")

    private static func locate(_ scope: ContainerScope, _ call: StepCall) async throws(StepFailure) -> ContainerPlace? {
        try await scope.placeIfAny()
    }

    private static func removeContainer(_ scope: ContainerScope, _ call: StepCall) async throws(StepFailure)
        -> Observation
    {
        guard let place = try call.output(place) else { return Observation([:]) }
        return Observation(try await scope.send(scope.removeContainer(place), to: place.node, call))
    }

    private static func destroyDataset(_ scope: ContainerScope, _ call: StepCall) async throws(StepFailure)
        -> Observation
    {
        guard let place = try call.output(place) else { return Observation([:]) }
        return Observation(try await scope.send(scope.destroyDataset(place), to: place.node, call))
    }

    private static func giveBack(_ scope: ContainerScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        try await scope.release()
        return NoOutput()
    }

    @Sendable static func conclude(
        _ service: inout ServiceRecord, _ operation: OperationRecord, outputs: [String: JSONValue]
    ) {
        service.address = [:]
        service.observed = [:]
    }
}
