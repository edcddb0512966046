import ControllerCore
import ProductKit
import Saga
import Store
import WireProtocol

/// Keeps the present state of the container under a name. Parameter `snapshot`.
enum SnapshotSite {
    static let verb = Verb("snapshot", from: [.running, .suspended])
    static let saga = SagaDefinition<SiteScope>(
        kind: verb.name,
        steps: SiteSteps.opening() + [SagaStep(snapshot, deadline: .seconds(300), act: take, undo: remove)])

    static let snapshot = StepKey<Observation>("snapshot")
    /// Each takes room, and slows the disk down.
    static let most = 16

    private static func take(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> Observation {
        let (found, name) = (try call.output(SiteSteps.guest), scope.snapshotName)
        guard !found.snapshots.contains(name) else {
            throw .refused("conflict", "there is a snapshot \(name) already", found.resource)
        }
        guard found.snapshots.count < most else {
            throw .refused(
                "too_many", "there are \(found.snapshots.count) snapshots already: remove one", found.resource)
        }
        return Observation(try await scope.order("snapshot.ensure", found, ["snapshot": .string(name)], call))
    }

    private static func remove(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) {
        let (found, name) = (try call.output(SiteSteps.guest), scope.snapshotName)
        // One that was there before is not this operation's.
        guard !found.snapshots.contains(name) else { return }
        _ = try await scope.order("snapshot.destroy", found, ["snapshot": .string(name)], call)
    }

    @Sendable static func conclude(
        _ service: inout ServiceRecord, _ operation: OperationRecord, outputs: [String: JSONValue]
    ) {
        let before = outputs[SiteSteps.guest.name]?["snapshots"]?.asArray ?? []
        service.observed["snapshots"] = .array(before + [operation.parameters["snapshot"] ?? .null])
    }
}

/// Removes a snapshot. Parameter `snapshot`.
enum RemoveSnapshot {
    static let verb = Verb("remove-snapshot", from: [.running, .suspended])
    static let saga = SagaDefinition<SiteScope>(
        kind: verb.name,
        steps: SiteSteps.opening() + [SagaStep(snapshot, deadline: .seconds(300), act: remove)])

    static let snapshot = StepKey<NoOutput>("snapshot")

    private static func remove(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        _ = try await scope.order(
            "snapshot.destroy", call.output(SiteSteps.guest), ["snapshot": .string(scope.snapshotName)], call)
        return NoOutput()
    }

    @Sendable static func conclude(
        _ service: inout ServiceRecord, _ operation: OperationRecord, outputs: [String: JSONValue]
    ) {
        let left = (outputs[SiteSteps.guest.name]?["snapshots"]?.asArray ?? []).filter {
            $0 != operation.parameters["snapshot"]
        }
        service.observed["snapshots"] = .array(left)
    }
}

/// Takes the container back to a snapshot; what came since is lost. Parameter `snapshot`.
enum RollBackSite {
    static let verb = Verb("roll-back", from: [.running, .suspended, .failed], stuck: .failed)
    static let saga = SagaDefinition<SiteScope>(
        kind: verb.name,
        steps: SiteSteps.opening() + [
            SagaStep(snapshot, deadline: .seconds(600), act: rollBack),
            SagaStep(settings, deadline: .seconds(180), act: putInOrder),
        ])

    static let snapshot = StepKey<NoOutput>("snapshot")
    static let settings = StepKey<NoOutput>("settings")

    private static func rollBack(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        let (found, name) = (try call.output(SiteSteps.guest), scope.snapshotName)
        guard found.snapshots.contains(name) else {
            throw .refused("not_found", "container \(found.vmid) has no snapshot \(name)", found.resource)
        }
        _ = try await scope.order(
            "snapshot.rollback", found, ["snapshot": .string(name), "start": .bool(found.isRunning)], call)
        return NoOutput()
    }

    /// The container's settings went back as well.
    private static func putInOrder(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        let starts = call.context["from"] != "suspended"
        try await scope.putInOrder(call.output(SiteSteps.guest), starts: starts, call)
        return NoOutput()
    }
}

extension SiteScope {
    var snapshotName: String { operation.parameters["snapshot"]?.asString ?? spec.snapshot }
}
