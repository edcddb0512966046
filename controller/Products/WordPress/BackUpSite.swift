import ControllerCore
import Model
import ProductKit
import Saga
import Store
import WireProtocol

/// Backs the container up, and removes those of the service's backups that are beyond its plan's retention. Only what the service's
/// own operations have made is ever removed: others may keep backups of the same container there.
enum BackUpSite {
    static let saga = SagaDefinition<SiteScope>(
        kind: Verb.backUp.name, deadline: .seconds(8 * 3600),
        steps: SiteSteps.opening() + [
            SagaStep(backup, deadline: .seconds(6 * 3600), act: backUp, undo: remove),
            SagaStep(old, weight: .auxiliary, deadline: .seconds(1800), act: removeOld),
        ])

    static let backup = StepKey<Observation>("backup")
    static let old = StepKey<Observation>("old")

    private static func backUp(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> Observation {
        guard scope.spec.backups.retention > 0, let storage = scope.spec.backups.storage else {
            throw .refused("no_backups", "the plan of the service keeps no backups")
        }
        let seen = try await scope.order(
            "container.backup", call.output(SiteSteps.guest), ["storage": .string(storage), "mode": "snapshot"], call)
        guard seen["backup"]?.asString != nil else {
            throw StepFailure(.retryable, code: "no_backup", message: "the node did not say which backup it has made")
        }
        var made = seen
        made["time"] = .integer(scope.dependencies.clock.now().milliseconds)
        return Observation(made)
    }

    private static func remove(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) {
        guard let name = call.found(backup)?.object["backup"]?.asString else { return }
        let found = try call.output(SiteSteps.guest)
        try await scope.removeBackup(name, of: call.output(SiteSteps.place), on: found.node, call)
    }

    private static func removeOld(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> Observation {
        let made = try call.output(backup).object["backup"]?.asString ?? ""
        let all = scope.backups + [made]
        let old = all.dropLast(Int(scope.spec.backups.retention))
        let (place, found) = (try call.output(SiteSteps.place), try call.output(SiteSteps.guest))
        for (number, name) in old.enumerated() {
            try await scope.removeBackup(name, of: place, on: found.node, call.part("\(number)"))
        }
        return Observation(["removed": .array(old.map { .string($0) })])
    }

    @Sendable static func conclude(
        _ service: inout ServiceRecord, _ operation: OperationRecord, outputs: [String: JSONValue]
    ) {
        let removed = outputs[old.name]?["removed"]?.asArray ?? []
        var kept = service.observed["backups"]?.asArray ?? []
        if let made = outputs[backup.name] { kept.append(made) }
        service.observed["backups"] = .array(kept.filter { one in !removed.contains { $0 == one["backup"] } })
    }
}

extension SiteScope {
    /// The service's backups as its own operations have made them, the oldest first.
    var backups: [String] {
        (service.observed["backups"]?.asArray ?? []).compactMap { $0["backup"]?.asString }
    }

    func removeBackup(
        _ name: String, of place: SitePlace, on node: String, _ call: StepCall
    ) async throws(StepFailure) {
        let request = ActionRequest(
            driver: "proxmox", action: "backup.destroy", resource: place.resource,
            arguments: ["vmid": .integer(place.vmid), "backup": .string(name)])
        _ = try await send(request, to: node, call)
    }
}
