import ControllerCore
import Model
import ProductKit
import Saga
import Store
import WireProtocol

/// Dumps a shop's database and packs its files, beside it in the cluster, and reads both back. Those beyond the retention go.
enum BackUpStore {
    static let verb = Verb("back-up", from: [.running])
    static let saga = SagaDefinition<StoreScope>(
        kind: verb.name, deadline: .seconds(8 * 3600),
        steps: [
            StoreSteps.opening,
            SagaStep(name, act: chooseName),
            SagaStep(StoreSteps.release, deadline: .seconds(2700), act: begin, undo: clear),
            StoreSteps.readiness(),
            SagaStep(end, weight: .auxiliary, deadline: .seconds(2700), act: finish),
        ])

    static let name = StepKey<Observation>("name")
    static let end = StepKey<NoOutput>("end")

    /// It begins with its time, so that names in order are backups in order.
    private static func chooseName(_ scope: StoreScope, _ call: StepCall) async throws(StepFailure) -> Observation {
        guard scope.spec.backups.retention > 0 else {
            throw .refused("no_backups", "the plan of the service keeps no backups")
        }
        let now = scope.dependencies.clock.now()
        let time = now.iso8601.prefix(19).filter { $0.isNumber }
        return Observation([
            "backup": .string("\(time)-\(scope.dependencies.ports.random.word(4))"),
            "time": .integer(now.milliseconds),
        ])
    }

    private static func begin(_ scope: StoreScope, _ call: StepCall) async throws(StepFailure) -> Observation {
        let id = try call.output(name).object["backup"]?.asString ?? ""
        let task = StoreTask(kind: .backup, id: id)
        return Observation(
            try await scope.release(call.output(StoreSteps.place), scope.spec, .running, task, call))
    }

    private static func clear(_ scope: StoreScope, _ call: StepCall) async throws(StepFailure) {
        _ = try await scope.release(call.output(StoreSteps.place), scope.spec, .running, nil, call)
    }

    private static func finish(_ scope: StoreScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        try await clear(scope, call)
        return NoOutput()
    }

    @Sendable static func conclude(
        _ service: inout ServiceRecord, _ operation: OperationRecord, outputs: [String: JSONValue]
    ) {
        guard let made = outputs[name.name], let spec = try? StoreSpec(json: service.spec) else { return }
        let kept = (service.observed["backups"]?.asArray ?? []) + [made]
        service.observed["backups"] = .array(kept.suffix(Int(max(1, spec.backups.retention))))
    }
}

/// Takes a shop back to a backup, in place: only the database runs meanwhile. Parameter `backup`; the newest without it.
///
/// It has no way back: half of a backup is no shop. One that fails is repaired, or restored again.
enum RestoreStore {
    static let verb = Verb(
        "restore", from: [.running, .suspended, .failed], succeeded: .running, undone: .failed, stuck: .failed)
    static let saga = SagaDefinition<StoreScope>(
        kind: verb.name, deadline: .seconds(12 * 3600),
        steps: [
            StoreSteps.opening,
            SagaStep(name, act: choose),
            SagaStep(quiet, deadline: .seconds(2700), act: ModeOfStore.set(.maintenance)),
            StoreSteps.readiness(StepKey("quiet-ready"), after: quiet),
            SagaStep(work, deadline: .seconds(2700), act: begin),
            StoreSteps.readiness(StepKey("restored"), after: work),
            SagaStep(StoreSteps.release, deadline: .seconds(2700), act: ModeOfStore.set(.running)),
            StoreSteps.readiness(),
        ])

    static let name = StepKey<Observation>("name")
    static let quiet = StepKey<Observation>("quiet")
    static let work = StepKey<Observation>("restore")

    /// Another try is another job: one that has failed stays so.
    private static func choose(_ scope: StoreScope, _ call: StepCall) async throws(StepFailure) -> Observation {
        let all = (scope.service.observed["backups"]?.asArray ?? []).compactMap { $0["backup"]?.asString }
        let wanted = scope.operation.parameters["backup"]?.asString ?? all.last
        guard let wanted, all.contains(wanted) else {
            throw .refused("not_found", "the service has no such backup")
        }
        return Observation(["backup": .string(wanted), "id": .string(scope.dependencies.ports.random.word(8))])
    }

    private static func begin(_ scope: StoreScope, _ call: StepCall) async throws(StepFailure) -> Observation {
        let chosen = try call.output(name).object
        let task = StoreTask(
            kind: .restore, id: chosen["id"]?.asString ?? "", from: chosen["backup"]?.asString ?? "")
        return Observation(
            try await scope.release(call.output(StoreSteps.place), scope.spec, .maintenance, task, call))
    }
}
