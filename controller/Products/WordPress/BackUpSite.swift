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
        guard let name = seen["backup"]?.asString else {
            throw StepFailure(.retryable, code: "no_backup", message: "the node did not say which backup it has made")
        }
        // On shared storage lie others' backups, too, and a node may say what it likes.
        let vmid = try call.output(SiteSteps.guest).vmid
        guard ["vzdump-lxc-\(vmid)-", "ct/\(vmid)/"].contains(where: { name.hasPrefix("\(storage):backup/\($0)") })
        else {
            throw .refused("no_backup", "the node names a backup that is not one of container \(vmid) on \(storage)")
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
        let (place, store, now) = (
            try call.output(SiteSteps.place), scope.dependencies.store, scope.dependencies.clock.now()
        )
        let (all, keep) = (try await scope.backups(), Int(scope.spec.backups.retention))
        var removed: [JSONValue] = []
        for old in beyond(keep, all) {
            guard try await !scope.isHeld(old) else { continue }
            try await scope.removeBackup(old.name, of: place, on: scope.keeper(of: old, place, call), call.part(old.id))
            do throws(StoreError) { try await store.removeBackup(old.id, at: now) } catch {
                throw StepFailure(.retryable, code: "store", message: "\(error)", effect: .none)
            }
            removed.append(.string(old.name))
        }
        return Observation(["removed": .array(removed)])
    }

    /// Those that are to go once a new one is there. Only what can be relied on takes a place among those that are kept; what is
    /// missing goes before it, and stays on the books, since it may come back, where there is room for it.
    static func beyond(_ keep: Int, _ all: [BackupRecord]) -> [BackupRecord] {
        let (good, missing) = (all.filter { $0.state == .available }, all.filter { $0.state != .available })
        let surplus = max(0, all.count + 1 - keep)
        // The good ones first: one that is missing may lie where nobody can remove it.
        return Array(good.prefix(max(0, good.count + 1 - keep))) + missing.prefix(surplus)
    }

    static let settle: ProductVerb.Settlement = { store, operation, outputs, time throws(StoreError) in
        guard let made = outputs[backup.name], let name = made["backup"]?.asString else { return }
        let then = made["time"]?.asInteger.map { Timestamp(milliseconds: $0) }
        try store.insertBackup(
            BackupRecord(
                of: operation, name: name, node: outputs[SiteSteps.guest.name]?["node"]?.asString,
                sizeBytes: made["size_bytes"]?.asInteger, madeAt: then ?? time))
    }
}

/// Removes one backup of the service's own. Parameter `backup`.
enum RemoveBackup {
    static let verb = Verb("remove-backup", from: [.running, .suspended, .failed])
    static let saga = SagaDefinition<SiteScope>(
        kind: verb.name,
        steps: [
            SagaStep(
                SiteSteps.place, places: true, act: { scope, _ throws(StepFailure) in try await scope.place() }),
            SagaStep(removed, deadline: .seconds(900), act: remove),
        ])

    static let removed = StepKey<Observation>("removed")

    private static func remove(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> Observation {
        let (place, wanted) = (try call.output(SiteSteps.place), try await scope.wantedBackup())
        guard try await !scope.isHeld(wanted) else {
            throw .refused("in_use", "backup \(wanted.id) is being restored into another service")
        }
        try await scope.removeBackup(wanted.name, of: place, on: scope.keeper(of: wanted, place, call), call)
        return Observation(["id": .string(wanted.id)])
    }

    static let settle: ProductVerb.Settlement = { store, operation, outputs, time throws(StoreError) in
        if let id = outputs[removed.name]?["id"]?.asString { try store.removeBackup(id, at: time) }
    }
}

extension SiteScope {
    /// The service's backups as its own operations have made them, the oldest first.
    func backups() async throws(StepFailure) -> [BackupRecord] {
        let id = service.id
        return try await locally { store throws(StoreError) in .success(try store.backups(service: id)) }
    }

    func isHeld(_ backup: BackupRecord) async throws(StepFailure) -> Bool {
        try await locally { store throws(StoreError) in .success(try store.isHeld(backup)) }
    }

    /// The node that can be asked for a backup: the one that made it, since its storage may be that node's own; where that one is away
    /// or gone, the site's, if it reaches the same storage. Nil where it went with its node.
    func keeper(
        of backup: BackupRecord, _ place: SitePlace, _ call: StepCall
    ) async throws(StepFailure) -> String? {
        guard let maker = backup.node, maker != place.node else { return place.node }
        let isThere = try await locally { store throws(StoreError) in
            .success(try store.node(maker).map { $0.revokedAt == nil } ?? false)
        }
        if isThere, await dependencies.agents.connected().contains(maker) { return maker }
        if try await reaches(backup, place.node, call.part(backup.id)) { return place.node }
        return isThere ? maker : nil
    }

    /// Whether a node other than the one that made a backup can be asked for it.
    func reaches(_ backup: BackupRecord, _ node: String, _ call: StepCall) async throws(StepFailure) -> Bool {
        guard let maker = backup.node, maker != node else { return true }
        let isNeighbour = try await locally { store throws(StoreError) in
            let (here, there) = (try store.node(node)?.cluster, try store.node(maker)?.cluster)
            return .success(here != nil && (there == nil || here == there))
        }
        guard isNeighbour else { return false }
        return WordPress.isShared(
            WordPress.storage(of: backup.name), try await ask("storage.list", node, call)) == true
    }

    /// Refuses what would ask a node for a backup that it cannot have.
    func requireReach(_ backup: BackupRecord, _ node: String, _ call: StepCall) async throws(StepFailure) {
        guard try await !reaches(backup, node, call) else { return }
        let (maker, here) = try await locally { store throws(StoreError) in
            .success(
                (
                    try backup.node.flatMap { id throws(StoreError) in try store.node(id)?.name },
                    try store.node(node)?.name
                ))
        }
        throw .refused(
            "out_of_reach",
            "backup \(backup.id) lies on storage \(WordPress.storage(of: backup.name)) of node \(maker ?? backup.node ?? "") alone, "
                + "and the site's place is on node \(here ?? node): move the site there first, or restore it into another service",
            backup.name)
    }

    /// - Parameter node: nil where there is nobody any more who could have it.
    func removeBackup(
        _ name: String, of place: SitePlace, on node: String?, _ call: StepCall
    ) async throws(StepFailure) {
        guard let node else { return note(call, "backup \(name) went with the node on whose storage it lay") }
        let request = ActionRequest(
            driver: "proxmox", action: "backup.destroy", resource: place.resource,
            arguments: ["vmid": .integer(place.vmid), "backup": .string(name)])
        // Whatever making of the container it is of.
        _ = try await send(request, marked: mark(nil), as: Self.noun, to: node, call)
    }
}
