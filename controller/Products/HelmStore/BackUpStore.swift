import ControllerCore
import Model
import ProductKit
import Saga
import Store
import WireProtocol

/// Dumps a shop's database and packs its files, beside it in the cluster, and reads both back. Those beyond the retention go. Of a suspended
/// shop only the database runs meanwhile.
enum BackUpStore {
    static let saga = SagaDefinition<StoreScope>(
        kind: Verb.backUp.name, deadline: .seconds(18 * 3600),
        steps: [
            StoreSteps.opening,
            SagaStep(name, act: chooseName),
            SagaStep(StoreSteps.release, deadline: .seconds(2700), act: begin, undo: clear),
            StoreSteps.workDone(),
            SagaStep(
                kept, weight: .auxiliary, deadline: .seconds(2700 + StoreSteps.longestWork), act: keepNewest),
            SagaStep(end, retry: ProvisionStore.persistent, deadline: .seconds(2700), act: finish),
        ])

    static let name = StepKey<Observation>("name")
    static let kept = StepKey<NoOutput>("kept")
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
        let (task, mode): (StoreTask, StoreMode) = (
            StoreTask(kind: .backup, id: id), call.isOfSuspended ? .maintenance : .running
        )
        return Observation(
            try await scope.release(call.output(StoreSteps.place), scope.spec, mode, task, call))
    }

    private static func clear(_ scope: StoreScope, _ call: StepCall) async throws(StepFailure) {
        _ = try await scope.release(call.output(StoreSteps.place), scope.spec, call.modeBefore, nil, call)
    }

    /// First the books, then the claim: what is listed can be relied on, whatever comes between.
    private static func keepNewest(_ scope: StoreScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        let (operation, service) = (scope.operation, scope.service.id)
        let (outputs, now, most) = (call.outputs, scope.dependencies.clock.now(), Int(scope.spec.backups.retention))
        let kept = try await scope.locally { store throws(StoreError) in
            if let made = made(operation, outputs, now) { try store.insertBackup(made) }
            let all = try store.backups(service: service)
            for old in all.dropLast(most) { try store.removeBackup(old.id, at: now) }
            return .success(all.suffix(most).map(\.name))
        }
        guard kept.count >= most, let oldest = kept.first else { return NoOutput() }
        let name = try call.output(name).object["backup"]?.asString ?? ""
        let ordered = try await scope.release(
            call.output(StoreSteps.place), scope.spec, call.modeBefore, StoreTask(kind: .prune, id: name, from: oldest),
            call)
        _ = try await scope.awaitReadiness(Observation(ordered), StoreSteps.longestWork, call)
        return NoOutput()
    }

    private static func finish(_ scope: StoreScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        try await clear(scope, call)
        return NoOutput()
    }

    static let settle: ProductVerb.Settlement = { store, operation, outputs, time throws(StoreError) in
        if let made = made(operation, outputs, time) { try store.insertBackup(made) }
    }

    private static func made(
        _ operation: OperationRecord, _ outputs: [String: JSONValue], _ time: Timestamp
    ) -> BackupRecord? {
        guard let made = outputs[name.name], let name = made["backup"]?.asString else { return nil }
        let then = made["time"]?.asInteger.map { Timestamp(milliseconds: $0) } ?? time
        var record = BackupRecord(
            of: operation, name: name, node: outputs[StoreSteps.place.name]?["node"]?.asString,
            sizeBytes: size(of: name, said: outputs[StoreSteps.ready.name]), madeAt: then)
        // Its job has read it back; nobody else can.
        record.verifiedAt = time
        return record
    }

    /// What the backup's job has left as its last words.
    /// - Parameter readiness: what was seen when it had succeeded.
    static func size(of name: String, said readiness: JSONValue?) -> Int64? {
        let pods = (readiness?["pods"]?.asArray ?? []).filter {
            $0["name"]?.asString?.hasPrefix("backup-\(name)-") == true && $0["phase"] == "Succeeded"
        }
        for line in pods.compactMap({ $0["said"]?.asString }).flatMap({ $0.split(separator: "\n") }) {
            let words: [Substring] = line.split(separator: " ")
            guard words.count == 3, words[0] == "made", words[1] == name, let size = Int64(words[2]), size >= 0 else {
                continue
            }
            return size
        }
        return nil
    }
}

/// Removes one backup of the shop's own. Parameter `backup`.
enum RemoveStoreBackup {
    static let verb = Verb("remove-backup", from: [.running, .suspended])
    static let saga = SagaDefinition<StoreScope>(
        kind: verb.name, deadline: .seconds(10 * 3600),
        steps: [
            StoreSteps.opening,
            SagaStep(name, act: choose),
            SagaStep(StoreSteps.release, deadline: .seconds(2700), act: begin, undo: clear),
            StoreSteps.workDone(),
            SagaStep(end, retry: ProvisionStore.persistent, deadline: .seconds(2700), act: finish),
        ])

    static let name = StepKey<Observation>("name")
    static let end = StepKey<NoOutput>("end")

    private static func choose(_ scope: StoreScope, _ call: StepCall) async throws(StepFailure) -> Observation {
        try await scope.chosenBackup()
    }

    private static func begin(_ scope: StoreScope, _ call: StepCall) async throws(StepFailure) -> Observation {
        let (task, now) = (try StoreTask(kind: .remove, chosen: call.output(name)), scope.dependencies.clock.now())
        let record = try call.output(name).object["record"]?.asString ?? ""
        // What is listed can be relied on, whatever comes between: it goes from the list first.
        try await scope.locally { store throws(StoreError) -> Result<Void, StepFailure> in
            try store.removeBackup(record, at: now)
            return .success(())
        }
        return Observation(
            try await scope.release(call.output(StoreSteps.place), scope.spec, call.modeBefore, task, call))
    }

    private static func clear(_ scope: StoreScope, _ call: StepCall) async throws(StepFailure) {
        _ = try await scope.release(call.output(StoreSteps.place), scope.spec, call.modeBefore, nil, call)
    }

    private static func finish(_ scope: StoreScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        try await clear(scope, call)
        return NoOutput()
    }
}

extension HelmStore {
    static let backups = BackupOffer(
        rule: { spec in
            guard let backups = (try? StoreSpec(json: spec))?.backups else { return .init(keep: 0, every: nil) }
            return BackupOffer.Rule(keep: backups.retention, every: backups.schedule.interval)
        }, backUp: .backUp, restore: RestoreStore.verb, remove: RemoveStoreBackup.verb,
        question: { look, _ in
            guard let place = StorePlace(look.held, look.reservation) else { return nil }
            return Question(
                driver: "helm", action: "namespace.inspect", resource: place.space,
                arguments: ["namespace": .string(place.namespace)])
        },
        read: { seen, _ in
            guard seen.status == .succeeded else { return .unclear }
            guard seen.observed["present"] == true, let claims = seen.observed["claims"]?.asArray else {
                return seen.observed["present"] == false ? .gone : .unclear
            }
            // What lies in the claim only a job can see: each has read back what it made.
            return claims.contains("backups") || claims.count >= 100 ? .unclear : .gone
        })
}

extension StoreSpec.Backups.Schedule {
    fileprivate var interval: Duration? {
        switch self {
        case .none: nil
        case .daily: .seconds(86_400)
        case .weekly: .seconds(7 * 86_400)
        }
    }
}
