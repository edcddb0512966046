import ControllerCore
import ProductKit
import Saga
import Store
import WireProtocol

/// Scales a shop to nothing and keeps everything: visitors get 503 from the ingress.
enum SuspendStore {
    static let saga = SagaDefinition<StoreScope>(
        kind: Verb.suspend.name, deadline: .seconds(4 * 3600),
        steps: [
            StoreSteps.opening,
            SagaStep(
                StoreSteps.release, deadline: .seconds(2700), act: ModeOfStore.set(.suspended),
                undo: ModeOfStore.put(.running)),
            StoreSteps.readiness(),
        ])
}

/// Brings a suspended shop back.
enum ResumeStore {
    static let saga = SagaDefinition<StoreScope>(
        kind: Verb.resume.name, deadline: .seconds(4 * 3600),
        steps: [
            StoreSteps.opening,
            SagaStep(
                StoreSteps.release, deadline: .seconds(2700), act: ModeOfStore.set(.running),
                undo: ModeOfStore.put(.suspended)),
            StoreSteps.readiness(),
        ])
}

enum ModeOfStore {
    typealias Act = @Sendable (StoreScope, StepCall) async throws(StepFailure) -> Observation

    static func set(_ mode: StoreMode) -> Act {
        { scope, call throws(StepFailure) in
            Observation(try await scope.release(call.output(StoreSteps.place), scope.spec, mode, nil, call))
        }
    }

    static func put(_ mode: StoreMode) -> @Sendable (StoreScope, StepCall) async throws(StepFailure) -> Void {
        { scope, call throws(StepFailure) in
            _ = try await scope.release(call.output(StoreSteps.place), scope.spec, mode, nil, call)
        }
    }
}

/// Gives a shop another plan, chart or version of its engine. Parameter `spec`: the whole new specification. Going back gives the
/// release what it had.
enum UpgradeStore {
    static let saga = SagaDefinition<StoreScope>(
        kind: Verb.upgrade.name, deadline: .seconds(4 * 3600), unwindAllowance: .seconds(3600),
        steps: [
            StoreSteps.opening,
            SagaStep(StoreSteps.release, deadline: .seconds(2700), act: change, undo: changeBack),
            StoreSteps.readiness(),
        ])

    private static func change(_ scope: StoreScope, _ call: StepCall) async throws(StepFailure) -> Observation {
        Observation(
            try await scope.release(call.output(StoreSteps.place), scope.wanted(), call.modeBefore, nil, call))
    }

    private static func changeBack(_ scope: StoreScope, _ call: StepCall) async throws(StepFailure) {
        _ = try await scope.release(call.output(StoreSteps.place), scope.spec, call.modeBefore, nil, call)
    }

    @Sendable static func conclude(
        _ service: inout ServiceRecord, _ operation: OperationRecord, outputs: [String: JSONValue]
    ) {
        StoreSteps.note(&service, operation, outputs: outputs)
        if let spec = operation.parameters["spec"]?.asObject { service.spec = spec }
        if let plan = operation.parameters["plan"]?.asString { service.plan = plan }
        if let revision = operation.parameters["plan_revision"]?.asInteger { service.planRevision = revision }
    }
}

/// Puts right what is not as ordered: a release that a dead Helm has left pending is freed, namespace and passwords are looked at, and
/// the release is given what it should have. The data stay.
enum RepairStore {
    static let saga = SagaDefinition<StoreScope>(
        kind: Verb.repair.name, deadline: .seconds(4 * 3600),
        steps: [
            StoreSteps.opening,
            SagaStep(StoreSteps.space, retry: ProvisionStore.persistent, act: StoreSteps.ensureNamespace),
            SagaStep(StoreSteps.secret, retry: ProvisionStore.persistent, act: StoreSteps.ensureSecret),
            SagaStep(health, retry: ProvisionStore.persistent, deadline: .seconds(1800), act: heal),
            SagaStep(StoreSteps.release, deadline: .seconds(2700), act: ModeOfStore.set(.running)),
            StoreSteps.readiness(),
        ])

    static let health = StepKey<Observation>("heal")

    /// Whoever asks for a repair knows that nobody else is at work.
    private static func heal(_ scope: StoreScope, _ call: StepCall) async throws(StepFailure) -> Observation {
        Observation(
            try await scope.send(
                "release.heal", about: call.output(StoreSteps.place), ["min_age_s": 0, "mark": scope.mark], call))
    }
}
