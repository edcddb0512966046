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
        kind: Verb.backUp.name, deadline: .seconds(10 * 3600),
        steps: [
            StoreSteps.opening,
            SagaStep(name, act: chooseName),
            SagaStep(StoreSteps.release, deadline: .seconds(2700), act: begin, undo: clear),
            StoreSteps.workDone(),
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
        let (task, mode): (StoreTask, StoreMode) = (
            StoreTask(kind: .backup, id: id), call.isOfSuspended ? .maintenance : .running
        )
        return Observation(
            try await scope.release(call.output(StoreSteps.place), scope.spec, mode, task, call))
    }

    private static func clear(_ scope: StoreScope, _ call: StepCall) async throws(StepFailure) {
        _ = try await scope.release(call.output(StoreSteps.place), scope.spec, call.modeBefore, nil, call)
    }

    private static func finish(_ scope: StoreScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        try await clear(scope, call)
        return NoOutput()
    }

    static let settle: ProductVerb.Settlement = { store, operation, outputs, time throws(StoreError) in
        guard let made = outputs[name.name], let name = made["backup"]?.asString, let id = operation.service else {
            return
        }
        let said = TaskReport(of: name, outputs[StoreSteps.ready.name])
        let then = made["time"]?.asInteger.map { Timestamp(milliseconds: $0) } ?? time
        var record = BackupRecord(
            of: operation, name: name, node: outputs[StoreSteps.place.name]?["node"]?.asString,
            sizeBytes: said.sizeBytes, madeAt: then)
        // The job has read it back; nobody else can.
        record.verifiedAt = time
        try store.insertBackup(record)
        let (all, service) = (try store.backups(service: id), try store.service(id))
        let keep = service.flatMap { try? StoreSpec(json: $0.spec) }.map { Int(max(1, $0.backups.retention)) }
        for old in said.gone(of: all, keep: keep ?? all.count) { try store.removeBackup(old.id, at: time) }
    }
}

/// What a backup's job has left as its last words: how large it is, and which the oldest is that is kept.
struct TaskReport: Sendable, Hashable {
    let name: String
    var sizeBytes: Int64?
    var oldest: String?

    /// - Parameter readiness: what was seen when the job had succeeded.
    init(of name: String, _ readiness: JSONValue?) {
        self.name = name
        let pods = (readiness?["pods"]?.asArray ?? []).filter {
            $0["name"]?.asString?.hasPrefix("backup-\(name)") == true && $0["phase"] == "Succeeded"
        }
        for line in pods.compactMap({ $0["said"]?.asString }).flatMap({ $0.split(separator: "\n") }) {
            let words = line.split(separator: " ")
            if words.count == 3, words[0] == "made", words[1] == name { sizeBytes = Int64(words[2]).map { max(0, $0) } }
            // Names begin with their time: none that is kept is newer than what was just made.
            if words.count == 2, words[0] == "oldest", words[1] <= name { oldest = String(words[1]) }
        }
    }

    /// Those that the job has removed; where it has not said so, those beyond the retention by which it goes.
    func gone(of all: [BackupRecord], keep: Int) -> [BackupRecord] {
        let others = all.filter { $0.name < name }.sorted { $0.name < $1.name }
        if let oldest { return others.filter { $0.name < oldest } }
        return Array(others.prefix(max(0, others.count + 1 - keep)))
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
            SagaStep(end, weight: .auxiliary, deadline: .seconds(2700), act: finish),
        ])

    static let name = StepKey<Observation>("name")
    static let end = StepKey<NoOutput>("end")

    private static func choose(_ scope: StoreScope, _ call: StepCall) async throws(StepFailure) -> Observation {
        try await scope.chosenBackup()
    }

    private static func begin(_ scope: StoreScope, _ call: StepCall) async throws(StepFailure) -> Observation {
        let task = try StoreTask(kind: .remove, chosen: call.output(name))
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

    static let settle: ProductVerb.Settlement = { store, operation, outputs, time throws(StoreError) in
        if let id = outputs[name.name]?["record"]?.asString { try store.removeBackup(id, at: time) }
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
