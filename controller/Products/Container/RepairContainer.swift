import ControllerCore
import ProductKit
import Saga
import Store
import WireProtocol

/// Brings back a container that is stopped or missing, on the data set that is there. It never makes a data set: one
/// that is missing is a loss of data, and an empty one in its place would hide that.
enum RepairContainer {
    static let saga = SagaDefinition<ContainerScope>(
        kind: Verb.repair.name,
        steps: [
            SagaStep(place, places: true, act: locate),
            SagaStep(dataset, act: look),
            SagaStep(image, deadline: .seconds(900), act: provideImage),
            SagaStep(container, act: start),
        ])

    static let place = StepKey<ContainerPlace>("place")
    static let dataset = StepKey<Observation>("dataset")
    static let image = StepKey<NoOutput>("image")
    static let container = StepKey<Observation>("container")

    private static func locate(_ scope: ContainerScope, _ call: StepCall) async throws(StepFailure) -> ContainerPlace {
        try await scope.place()
    }

    private static func look(_ scope: ContainerScope, _ call: StepCall) async throws(StepFailure) -> Observation {
        let place = try call.output(place)
        return Observation(try await scope.send(scope.measureDataset(place), to: place.node, call))
    }

    private static func provideImage(_ scope: ContainerScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        let place = try call.output(place)
        _ = try await scope.send(scope.ensureImage(), to: place.node, call)
        return NoOutput()
    }

    private static func start(_ scope: ContainerScope, _ call: StepCall) async throws(StepFailure) -> Observation {
        let place = try call.output(place)
        guard let mountpoint = scope.service.address["mountpoint"]?.asString else {
            throw StepFailure(
                .final, code: "not_provisioned",
                message: "the service was never provisioned to the end: retry or terminate it", effect: .none)
        }
        let order = scope.ensureContainer(place, mountpoint: mountpoint)
        return Observation(try await scope.send(order, to: place.node, call))
    }

    @Sendable static func conclude(
        _ service: inout ServiceRecord, _ operation: OperationRecord, outputs: [String: JSONValue]
    ) {
        service.observed["container"] = outputs[container.name]
        service.observed["drift"] = nil
    }
}
