import ControllerCore
import ProductKit
import Saga
import Store
import WireProtocol

/// Stops a service's container. The data, the place and the reservation stay.
enum SuspendContainer {
    static let saga = SagaDefinition<ContainerScope>(
        kind: Verb.suspend.name,
        steps: [
            SagaStep(place, places: true, act: locate),
            SagaStep(container, act: stop, undo: start),
        ])

    static let place = StepKey<ContainerPlace>("place")
    static let container = StepKey<Observation>("container")

    private static func locate(_ scope: ContainerScope, _ call: StepCall) async throws(StepFailure) -> ContainerPlace {
        try await scope.place()
    }

    private static func stop(_ scope: ContainerScope, _ call: StepCall) async throws(StepFailure) -> Observation {
        let place = try call.output(place)
        return Observation(try await scope.send(scope.stopContainer(place), to: place.node, call))
    }

    private static func start(_ scope: ContainerScope, _ call: StepCall) async throws(StepFailure) {
        let place = try call.output(place)
        _ = try await scope.send(scope.startContainer(place), to: place.node, call)
    }

    @Sendable static func conclude(
        _ service: inout ServiceRecord, _ operation: OperationRecord, outputs: [String: JSONValue]
    ) {
        service.observed["container"] = outputs[container.name]
    }
}
