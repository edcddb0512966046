import DriverKit
import Model
import WireProtocol

extension ProxmoxDriver {
    func destroyContainer(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let vmid = try reader.vmid(of: call)
        let force = try reader.bool("force")
        let owner = try reader.optionalString("owner")
        try reader.finish()
        guard var found = try await look(vmid) else {
            if let stranger = try await files.aside({ $0.stranger(vmid) }) {
                throw DriverError(.conflict, "it is not on this node: there is \(stranger)")
            }
            return .seen(try await gone(vmid))
        }
        if try await removeHalfMade(found) { return ActionOutcome(changed: true, observed: try await gone(vmid)) }
        try checkDestruction(found, owner: owner, force: force)
        try await unlockDestroyed(found)
        // The manager would start again what is stopped, and stops only after a while what is removed by force.
        if try await highAvailability().resource(vmid) != nil {
            try await takeFromHA(vmid)
            found = try await require(vmid)
        }
        if found.isRunning { found = try await stopGuest(found) }
        try await destroy(found)
        return ActionOutcome(changed: true, observed: try await gone(vmid))
    }

    private func checkDestruction(_ found: Guest, owner: String?, force: Bool) throws(DriverError) {
        try found.checkOwner(owner)
        if found.config["protection"] == "1" { throw DriverError(.conflict, "container \(found.vmid) is protected") }
        if found.isRunning, !force { throw DriverError(.conflict, "container \(found.vmid) runs") }
    }

    /// A removal that died between disks and configuration leaves a lock that nothing can need any more.
    private func unlockDestroyed(_ found: Guest) async throws(DriverError) {
        let vmid = found.vmid
        if found.config.lock == "destroyed", try await !files.aside({ $0.isBusy(vmid) }) {
            try await tools.act(.pct, ["unlock", "\(vmid)"])
        } else {
            try await checkUnlocked(found)
        }
    }

    /// Removes a container that stands still, with its disks.
    ///
    /// The tool looks for disks that belong to none on every storage, after it has removed the container's own, and fails
    /// there when one storage is away. So that is left out then, and made up for later.
    func destroy(_ found: Guest) async throws(DriverError) {
        let vmid = found.vmid
        let all = try await storages(content: "rootdir")
        let needed = found.config.storages
        try Self.checkReach(of: found, all)
        let away = all.filter { !$0.isActive && !$0.isDisabled }.map(\.name)
        let enabled = all.filter { !$0.isDisabled }.map(\.name)
        if !away.isEmpty { try await note(vmid, enabled) }
        do throws(DriverError) {
            _ = try await achieve(vmid, "went") {
                $0 == nil
            } by: { () throws(DriverError) in
                try await tools.act(.pct, Self.destruction(vmid, searches: away.isEmpty))
            }
        } catch { throw await countingDisks(error, of: found, needed) }
        if away.isEmpty { return try await files.aside { $0.forgetLeftover(vmid) } }
        do throws(DriverError) {
            _ = try await removeUnreferenced(vmid, on: enabled.filter { !away.contains($0) })
            try await note(vmid, away)
        } catch { throw error.afterChange() }
    }

    /// The tool removes one disk after the other, and stops at the first that it cannot reach.
    static func checkReach(of found: Guest, _ storages: [Storage]) throws(DriverError) {
        let needed = found.config.storages
        guard let missing = storages.first(where: { !$0.isActive && needed.contains($0.name) }) else { return }
        throw DriverError(
            .unavailable,
            "storage \(missing.name), which holds a disk of container \(found.vmid), is not active: nothing has been removed"
        )
    }

    private func note(_ vmid: Int, _ storages: [String]) async throws(DriverError) {
        guard try await files.aside({ $0.note(vmid, LeftoverNote(storages: storages)) }) else {
            throw DriverError(.failed, "it cannot be noted which storages are still to be searched", retryable: true)
        }
    }

    static func destruction(_ vmid: Int, searches: Bool) -> [String] {
        ["destroy", "\(vmid)", "--purge", "1"] + (searches ? ["--destroy-unreferenced-disks", "1"] : [])
    }

    /// A removal that failed may have removed disks before that.
    private func countingDisks(
        _ error: DriverError, of found: Guest, _ storages: Set<String>
    ) async -> DriverError {
        var left: Set<String> = []
        for storage in storages {
            // What cannot be looked at counts as there.
            guard let volumes = try? await volumes(on: storage, content: "rootdir") else { return error }
            left.formUnion(volumes.map(\.id))
        }
        return found.config.volumes.isSubset(of: left) ? error : error.afterChange()
    }
}
