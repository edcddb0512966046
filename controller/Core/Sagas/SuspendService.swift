import Saga
import Store
import WireProtocol

/// Stops a service's container. The data, the place and the reservation stay.
enum SuspendService: ServiceSaga {
    static let kind = OperationKind.suspend

    static let definition = SagaDefinition<ServiceScope>(
        kind: kind.rawValue,
        steps: [
            SagaStep(place, places: true, act: locate),
            SagaStep(container, act: stop, undo: start),
        ])

    static let place = StepKey<ServicePlace>("place")
    static let container = StepKey<Observation>("container")

    private static func locate(_ scope: ServiceScope, _ call: StepCall) async throws(StepFailure) -> ServicePlace {
        try await scope.place()
    }

    private static func stop(_ scope: ServiceScope, _ call: StepCall) async throws(StepFailure) -> Observation {
        let place = try call.output(place)
        return Observation(try await scope.send(scope.stopContainer(place), to: place.node, call))
    }

    private static func start(_ scope: ServiceScope, _ call: StepCall) async throws(StepFailure) {
        let place = try call.output(place)
        _ = try await scope.send(scope.startContainer(place), to: place.node, call)
    }

    static func conclude(_ service: inout ServiceRecord, _ operation: OperationRecord, outputs: [String: JSONValue]) {
        service.observed["container"] = outputs[container.name]
    }
}
