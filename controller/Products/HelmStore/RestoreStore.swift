import ControllerCore
import ProductKit
import Saga
import Store
import WireProtocol

/// Takes a shop back to a backup, in place: only the database runs meanwhile. Parameter `backup`: its id, or its name; the newest without it.
///
/// It has no way back: half of a backup is no shop. One that fails is repaired, or restored again.
enum RestoreStore {
    static let verb = Verb("restore", from: [.running, .suspended, .failed], undone: .failed, stuck: .failed)
    static let saga = SagaDefinition<StoreScope>(
        kind: verb.name, deadline: .seconds(14 * 3600),
        steps: [
            StoreSteps.opening,
            SagaStep(name, act: choose),
            SagaStep(quiet, deadline: .seconds(2700), act: ModeOfStore.set(.maintenance)),
            StoreSteps.readiness(StepKey("quiet-ready"), after: quiet),
            SagaStep(work, deadline: .seconds(2700), act: begin),
            StoreSteps.workDone(StepKey("restored"), after: work),
            SagaStep(StoreSteps.release, deadline: .seconds(2700), act: finish),
            StoreSteps.readiness(),
        ])

    static let name = StepKey<Observation>("name")
    static let quiet = StepKey<Observation>("quiet")
    static let work = StepKey<Observation>("restore")

    private static func choose(_ scope: StoreScope, _ call: StepCall) async throws(StepFailure) -> Observation {
        try await scope.chosenBackup()
    }

    private static func begin(_ scope: StoreScope, _ call: StepCall) async throws(StepFailure) -> Observation {
        let task = try StoreTask(kind: .restore, chosen: call.output(name))
        return Observation(
            try await scope.release(call.output(StoreSteps.place), scope.spec, .maintenance, task, call))
    }

    /// One that was suspended stays so.
    private static func finish(_ scope: StoreScope, _ call: StepCall) async throws(StepFailure) -> Observation {
        Observation(try await scope.release(call.output(StoreSteps.place), scope.spec, call.modeBefore, nil, call))
    }

    @Sendable static func conclude(
        _ service: inout ServiceRecord, _ operation: OperationRecord, outputs: [String: JSONValue]
    ) {
        StoreSteps.note(&service, operation, outputs: outputs)
        // Repaired by this: what had failed is there again.
        if service.state == .failed { service.state = .running }
    }
}

extension StoreScope {
    /// The backup that is asked for, if it is one of the service's own: `backup` (its name), `record` (its id), `id` (of the job: another try is
    /// another job, since one that has failed stays so).
    func chosenBackup() async throws(StepFailure) -> Observation {
        let (service, wanted) = (service.id, operation.parameters["backup"]?.asString)
        let all = try await locally { store throws(StoreError) in .success(try store.backups(service: service)) }
        guard let found = wanted.map({ name in all.first { $0.id == name || $0.name == name } }) ?? all.last else {
            throw .refused(
                "not_found", "the service has no such backup; innctl backup list shows those that it has")
        }
        return Observation([
            "backup": .string(found.name), "record": .string(found.id),
            "id": .string(dependencies.ports.random.word(8)),
        ])
    }
}

extension StoreTask {
    init(kind: Kind, chosen: Observation) {
        self.init(
            kind: kind, id: chosen.object["id"]?.asString ?? "", from: chosen.object["backup"]?.asString ?? "")
    }
}

extension StepCall {
    var isOfSuspended: Bool { context["from"]?.asString == "suspended" }

    /// Suspended shops stay so.
    var modeBefore: StoreMode { isOfSuspended ? .suspended : .running }
}
