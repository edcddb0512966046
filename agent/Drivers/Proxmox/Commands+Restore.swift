import DriverKit
import Model
import WireProtocol

/// Containers out of backups.
extension ProxmoxDriver {
    func restore(_ call: ActionCall, _ context: ActionContext) async throws(DriverError) -> ActionOutcome {
        let spec = try RestoreSpec(call)
        let found = try await look(spec.vmid)
        if let found, found.mark?.nonce == context.commandID, found.config.lock == nil { return .seen(found.json) }
        if let found, try await !removeHalfMade(found) { try await checkReplacement(of: found, spec) }
        if let stranger = try await files.aside({ $0.stranger(spec.vmid) }) {
            throw DriverError(.foreign, "the id is taken: there is \(stranger)")
        }
        let saved = try await saved(in: spec.backup)
        if let source = spec.source, saved.mark?.service != source {
            throw DriverError(.foreign, "backup \(spec.backup) is not of a container of \(source)")
        }
        try checkReach(of: saved, "the container in the backup")
        try await checkRoom(spec.sizes(of: saved))
        abandonedCreations.forget(spec.vmid)
        context.progress("restoring container \(spec.vmid)")
        let words = spec.words(saved, replacing: found != nil, command: context.commandID)
        do throws(DriverError) {
            let made = try await make(spec.vmid, context) { () throws(DriverError) in try await tools.act(.pct, words) }
            guard spec.starts else { return ActionOutcome(changed: true, observed: made.json) }
            return ActionOutcome(changed: true, observed: try await startGuest(made).json)
        } catch {
            // What was there before is gone in any case once the tool has begun.
            let isThere = (try? await look(spec.vmid)) != nil
            throw found != nil || isThere ? error.afterChange() : error
        }
    }

    /// Only what is ours, does not run and nothing protects is replaced, and only when the call says so.
    private func checkReplacement(of found: Guest, _ spec: RestoreSpec) async throws(DriverError) {
        guard spec.replaces else { throw DriverError(.conflict, "the id is taken: container \(found.vmid) is there") }
        try await checkUnlocked(found)
        try found.checkOwner(spec.owner)
        if found.isRunning { throw DriverError(.conflict, "container \(found.vmid) runs") }
        if found.config["protection"] == "1" { throw DriverError(.conflict, "container \(found.vmid) is protected") }
        try Self.checkReach(of: found, try await storages(content: "rootdir"))
    }

    /// The configuration in a backup.
    private func saved(in backup: String) async throws(DriverError) -> GuestConfig {
        let storage = String(backup.prefix { $0 != ":" })
        guard try await backups(on: storage, of: nil).contains(where: { $0.id == backup }) else {
            throw DriverError(.notFound, "there is no backup \(backup)")
        }
        return GuestConfig(try await tools.read(.pvesm, ["extractconfig", backup]))
    }

    /// Runs what makes a container that bears the command's mark when it is whole.
    func make(
        _ vmid: Int, _ context: ActionContext, by act: () async throws(DriverError) -> Void
    ) async throws(DriverError) -> Guest {
        let command = context.commandID
        do throws(DriverError) {
            let made = try await achieve(vmid, "was made") { guest in
                guest?.mark?.nonce == command && guest?.config.lock == nil && guest?.config["rootfs"] != nil
            } by: { () throws(DriverError) in
                try await act()
            }
            guard let made else { throw DriverError(.failed, "container \(vmid) is gone again") }
            return made
        } catch {
            throw await afterFailure(error, making: vmid, command: command)
        }
    }
}

/// A restoration as a call asks for it.
struct RestoreSpec: Sendable {
    let vmid: Int
    let backup: String
    let owner: String?
    let replaces: Bool
    let starts: Bool
    /// The service whose container the backup must be of, by the mark in it; whoever names a backup need not be believed.
    let source: String?
    private let storage: String?
    /// Whether network cards get new addresses, as beside the container that the backup is of.
    private let isUnique: Bool

    init(_ call: ActionCall) throws(DriverError) {
        var reader = ArgumentReader(call.arguments)
        vmid = try reader.vmid(of: call)
        backup = try reader.string("backup")
        let named = try reader.optionalString("owner")
        owner = call.mark?.service ?? named
        replaces = try reader.bool("replace")
        starts = try reader.bool("start")
        storage = try reader.optionalString("storage")
        isUnique = try reader.bool("unique")
        source = try reader.optionalString("made_of")
        try reader.finish()
    }

    /// Bytes that it takes of each storage.
    func sizes(of saved: GuestConfig) -> [String: Int64] { GuestConfig.sizes(of: saved.values, on: storage) }

    func words(_ saved: GuestConfig, replacing: Bool, command: String) -> [String] {
        let mark = GuestMark(service: owner ?? saved.mark?.service, nonce: command, vmid: vmid)
        return ["restore", "\(vmid)", backup, "--description", mark.line]
            + (storage.map { ["--storage", $0] } ?? []) + (isUnique ? ["--unique", "1"] : [])
            + (replacing ? ["--force", "1"] : [])
    }
}
