import ControllerCore
import Model
import ProductKit
import Saga
import Store
import WireProtocol

extension CloudSite {
    static let backups = BackupOffer(
        rule: { spec in
            guard let backups = (try? CloudSiteSpec(json: spec))?.backups else { return .init(keep: 0, every: nil) }
            return BackupOffer.Rule(keep: backups.retention, every: backups.schedule.interval)
        }, backUp: .backUp, restore: .restore, remove: RemovePanelBackup.verb,
        question: { _, _ in
            Question(driver: "cloudpanel", action: "backup.list", resource: "cloudpanel/backup")
        },
        read: { seen, backup in
            guard seen.status == .succeeded, let listed = seen.observed["backups"]?.asArray else { return .unclear }
            guard let found = listed.first(where: { $0["backup"]?.asString == backup.name }) else { return .gone }
            return .there(sizeBytes: found["size_bytes"]?.asInteger)
        })
}

extension CloudSiteSpec.Backups.Schedule {
    fileprivate var interval: Duration? {
        switch self {
        case .none: nil
        case .daily: .seconds(86_400)
        case .weekly: .seconds(7 * 86_400)
        }
    }
}

/// Backs files and databases up on the site's server, and removes those of the service's backups that are beyond its plan's retention.
enum BackUpPanelSite {
    static let saga = SagaDefinition<PanelScope>(
        kind: Verb.backUp.name, deadline: .seconds(8 * 3600),
        steps: PanelSteps.opening() + [
            SagaStep(backup, deadline: .seconds(6 * 3600), act: backUp, undo: remove),
            SagaStep(old, weight: .auxiliary, deadline: .seconds(3600), act: removeOld),
        ])

    static let backup = StepKey<Observation>("backup")
    static let old = StepKey<Observation>("old")

    /// The same for each attempt: what was made is found again.
    private static func name(_ scope: PanelScope) -> String {
        "site-\(scope.operation.id.drop { $0 != "_" }.dropFirst())"
    }

    private static func backUp(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) -> Observation {
        guard scope.spec.backups.retention > 0 else {
            throw .refused("no_backups", "the plan of the service keeps no backups")
        }
        return Observation(try await scope.backUp(as: name(scope), call.output(PanelSteps.place), call))
    }

    private static func remove(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) {
        try await scope.deleteBackup(name(scope), on: call.output(PanelSteps.place).node, call)
    }

    private static func removeOld(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) -> Observation {
        let (place, store, now) = (
            try call.output(PanelSteps.place), scope.dependencies.store, scope.dependencies.clock.now()
        )
        // Only what can be relied on takes a place among those that are kept.
        let good = try await scope.backups().filter { $0.state == .available }
        var removed: [JSONValue] = []
        for old in good.prefix(max(0, good.count + 1 - Int(scope.spec.backups.retention))) {
            guard try await !scope.isHeld(old) else { continue }
            try await scope.deleteBackup(old.name, on: old.node ?? place.node, call.part(old.id))
            do throws(StoreError) { try await store.removeBackup(old.id, at: now) } catch {
                throw StepFailure(.retryable, code: "store", message: "\(error)", effect: .none)
            }
            removed.append(.string(old.name))
        }
        return Observation(["removed": .array(removed)])
    }

    static let settle: ProductVerb.Settlement = { store, operation, outputs, time throws(StoreError) in
        guard let made = outputs[backup.name], let name = made["backup"]?.asString else { return }
        let then = made["time"]?.asInteger.map { Timestamp(milliseconds: $0) }
        try store.insertBackup(
            BackupRecord(
                of: operation, name: name, node: outputs[PanelSteps.place.name]?["node"]?.asString,
                sizeBytes: made["size_bytes"]?.asInteger, madeAt: then ?? time))
    }
}

/// Removes one backup of the service's own. Parameter `backup`.
enum RemovePanelBackup {
    static let verb = Verb("remove-backup", from: [.running, .suspended, .failed])
    static let saga = SagaDefinition<PanelScope>(
        kind: verb.name,
        steps: [
            SagaStep(
                PanelSteps.place, places: true, act: { scope, _ throws(StepFailure) in try await scope.place() }),
            SagaStep(removed, retry: ProvisionPanelSite.persistent, deadline: PanelScope.patience, act: remove),
        ])

    static let removed = StepKey<Observation>("removed")

    private static func remove(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) -> Observation {
        let (place, wanted) = (try call.output(PanelSteps.place), try await scope.wantedBackup())
        guard try await !scope.isHeld(wanted) else {
            throw .refused("in_use", "backup \(wanted.id) is being restored into another service")
        }
        try await scope.deleteBackup(wanted.name, on: wanted.node ?? place.node, call)
        return Observation(["id": .string(wanted.id)])
    }

    static let settle: ProductVerb.Settlement = { store, operation, outputs, time throws(StoreError) in
        if let id = outputs[removed.name]?["id"]?.asString { try store.removeBackup(id, at: time) }
    }

    static let parameters = VerbParameters(
        schema: RestorePanelSite.parameters.schema.merged(with: ["required": ["backup"]]),
        read: RestorePanelSite.parameters.read)
}

/// Takes files and databases back to a backup of its own, in place. Parameter `backup`: its id or name; without it, the newest. What
/// came since is lost. A database that was removed since has to be made again first.
enum RestorePanelSite {
    static let saga = SagaDefinition<PanelScope>(
        kind: Verb.restore.name, deadline: .seconds(8 * 3600),
        steps: PanelSteps.opening() + [
            SagaStep(chosen, act: choose),
            SagaStep(restored, deadline: .seconds(6 * 3600), act: restore),
        ])

    static let chosen = StepKey<Observation>("chosen")
    static let restored = StepKey<NoOutput>("restored")

    private static func choose(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) -> Observation {
        let (place, wanted) = (try call.output(PanelSteps.place), try await scope.wantedBackup())
        guard (wanted.node ?? place.node) == place.node else {
            throw .refused("elsewhere", "backup \(wanted.id) lies on another server than the site")
        }
        return Observation(["backup": .string(wanted.name)])
    }

    private static func restore(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        let name = try call.output(chosen).object["backup"] ?? .null
        _ = try await scope.order("site.restore", call.output(PanelSteps.place), ["backup": name], call)
        return NoOutput()
    }

    @Sendable static func conclude(
        _ service: inout ServiceRecord, _ operation: OperationRecord, outputs: [String: JSONValue]
    ) {
        PanelSteps.note(&service, operation, outputs: outputs)
        // Repaired by this: what had failed is there again.
        if service.state == .failed { service.state = .running }
    }

    static let parameters = VerbParameters(
        schema: [
            "type": "object", "additionalProperties": false,
            "properties": [
                "backup": [
                    "type": "string", "maxLength": 300,
                    "description": "One of the service's own backups, by id or name; the newest without it.",
                ]
            ],
        ],
        read: { fields throws(CoreError) in
            guard let name = fields["backup"]?.asString else { return [:] }
            guard (1...300).contains(name.utf8.count) else {
                throw .invalid(field: "parameters.backup", problem: "must be the id or the name of a backup")
            }
            return ["backup": .string(name)]
        })
}

extension PanelScope {
    /// The service's backups as its own operations have made them, the oldest first.
    func backups() async throws(StepFailure) -> [BackupRecord] {
        let id = service.id
        return try await locally { store throws(StoreError) in .success(try store.backups(service: id)) }
    }

    func isHeld(_ backup: BackupRecord) async throws(StepFailure) -> Bool {
        try await locally { store throws(StoreError) in .success(try store.isHeld(backup)) }
    }

    /// The backup that is asked for, if it is one of the service's own.
    func wantedBackup() async throws(StepFailure) -> BackupRecord {
        let (all, named) = (try await backups(), operation.parameters["backup"]?.asString)
        guard let wanted = named else {
            if let newest = all.last { return newest }
            throw .refused("not_found", "the service has no backup")
        }
        if let found = all.first(where: { $0.id == wanted || $0.name == wanted }) { return found }
        throw .refused("not_found", "the service has no such backup; innctl backup list shows those that it has")
    }

    func backUp(as name: String, _ place: PanelPlace, _ call: StepCall) async throws(StepFailure) -> JSONObject {
        var made = try await order("site.backup", place, ["backup": .string(name)], call)
        guard made["backup"]?.asString == name else {
            throw .refused("no_backup", "the node names another backup than the one that was asked for")
        }
        made["time"] = .integer(dependencies.clock.now().milliseconds)
        return made
    }

    func deleteBackup(_ name: String, on node: String, _ call: StepCall) async throws(StepFailure) {
        let request = ActionRequest(
            driver: "cloudpanel", action: "backup.delete", resource: "cloudpanel/backup/\(name)",
            arguments: ["backup": .string(name)])
        _ = try await send(request, to: node, call)
    }
}
