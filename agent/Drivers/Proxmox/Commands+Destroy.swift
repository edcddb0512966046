import DriverKit
import Model
import WireProtocol

extension ProxmoxDriver {
    func destroyContainer(_ call: OperationCall) async throws(DriverError) -> OperationOutcome {
        var reader = ArgumentReader(call.arguments)
        let vmid = try reader.vmid(of: call)
        let force = try reader.bool("force", default: false)
        let owner = try reader.optionalName("owner", .identifier)
        try reader.finish()
        let gone: JSONObject = ["vmid": .integer(Int64(vmid)), "present": false]
        guard var found = try await look(vmid) else {
            if let stranger = try await files.aside({ $0.stranger(vmid) }) {
                throw DriverError(.conflict, "it is not on this node: there is \(stranger)")
            }
            return .seen(gone)
        }
        if try await removeHalfMade(found) { return OperationOutcome(changed: true, observed: gone) }
        try checkDestruction(found, owner: owner, force: force)
        try await unlockDestroyed(found)
        // The manager would start again what is stopped, and stops only after a while what is removed by force.
        if try await highAvailability().resource(vmid) != nil {
            try await takeFromHA(vmid)
            found = try await require(vmid)
        }
        if found.isRunning { found = try await stopGuest(found) }
        _ = try await achieve(vmid, "went") {
            $0 == nil
        } by: { () throws(DriverError) in
            try await tools.act(.pct, Self.destruction(vmid))
        }
        return OperationOutcome(changed: true, observed: gone)
    }

    private func checkDestruction(_ found: Guest, owner: String?, force: Bool) throws(DriverError) {
        if let owner, found.config.owner != owner {
            throw DriverError(
                .conflict, "container \(found.vmid) belongs to \(found.config.owner ?? "nobody"), not to \(owner)")
        }
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
}
