import DriverKit
import Model
import Processes
import WireProtocol

/// Backups. The tool can report success without having made any: what counts is what lies on the storage afterwards.
extension ProxmoxDriver {
    static let backupActions: [Action<ProxmoxDriver>] = [
        Action(
            ActionSpec(
                "container.backup", .mutate, defaultDeadline: .seconds(6 * 3600), summary: "backs a container up")
        ) { (driver, call, context) throws(DriverError) in try await driver.backUp(call, context) },
        Action(
            ActionSpec(
                "container.restore", .mutate, defaultDeadline: .seconds(6 * 3600),
                summary: "makes a container out of a backup")
        ) { (driver, call, context) throws(DriverError) in try await driver.restore(call, context) },
        Action(ActionSpec("backup.list", .observe, summary: "lists the backups on a storage")) {
            (driver, call, _) throws(DriverError) in try await driver.listBackups(call)
        },
        Action(
            ActionSpec("backup.destroy", .mutate, defaultDeadline: .seconds(600), summary: "removes one backup")
        ) { (driver, call, _) throws(DriverError) in try await driver.destroyBackup(call) },
    ]

    private func backUp(
        _ call: ActionCall, _ context: ActionContext
    ) async throws(DriverError) -> ActionOutcome {
        let spec = try BackupSpec(call)
        try await checkUnlocked(try await require(spec.vmid))
        guard let storage = try await storages(content: "backup").first(where: { $0.name == spec.storage }) else {
            throw DriverError(.notFound, "there is no storage \(spec.storage) for backups")
        }
        guard storage.isActive else { throw DriverError(.unavailable, "storage \(spec.storage) is not active") }
        let before = Set(try await backups(on: spec.storage, of: spec.vmid).map(\.id))
        context.progress("backing up container \(spec.vmid)")
        let outcome: ProcessOutcome
        do throws(DriverError) { outcome = try await tools.act(.vzdump, spec.words) } catch {
            throw await leavingLock(error, spec.vmid)
        }
        let made = try await backups(on: spec.storage, of: spec.vmid).filter { !before.contains($0.id) }
        guard let backup = made.max(by: { $0.id < $1.id }) else {
            throw DriverError(
                .failed, "the tool reports success and has made no backup", retryable: true,
                cause: ProxmoxFailure.said(outcome))
        }
        return ActionOutcome(changed: true, observed: backup.json)
    }

    /// A backup that was broken off can leave its lock and its snapshot behind.
    private func leavingLock(_ error: DriverError, _ vmid: Int) async -> DriverError {
        let isLocked = await Task { (try? await self.look(vmid))?.config.lock == "backup" }.value
        return isLocked ? error.afterChange() : error
    }

    private func listBackups(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let storage = try reader.string("storage")
        let vmid = try reader.optionalInteger("vmid").map { Int($0) }
        try reader.finish()
        let found = try await backups(on: storage, of: vmid)
        return .seen(["storage": .string(storage), "backups": .array(found.map { .object($0.json) })])
    }

    /// The tool for it tells no failure by its end.
    private func destroyBackup(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let vmid = try reader.vmid(of: call)
        let id = try reader.string("backup")
        try reader.finish()
        guard Volume.isBackup(id, of: vmid) else { throw .invalidArgument("backup", "is not one of container \(vmid)") }
        let gone: JSONObject = ["backup": .string(id), "present": false]
        let storage = String(id.prefix { $0 != ":" })
        guard try await backups(on: storage, of: vmid).contains(where: { $0.id == id }) else { return .seen(gone) }
        let outcome = try await tools.act(.pvesm, ["free", id])
        guard try await !backups(on: storage, of: vmid).contains(where: { $0.id == id }) else {
            throw ProxmoxFailure.error(.pvesm, outcome)
        }
        return ActionOutcome(changed: true, observed: gone)
    }

    func backups(on storage: String, of vmid: Int?) async throws(DriverError) -> [Volume] {
        try await volumes(on: storage, content: "backup").filter { volume in
            vmid.map { Volume.isBackup(volume.id, of: $0) } ?? Pattern.backup.accepts(volume.id)
        }
    }
}

/// A backup as a call asks for it.
struct BackupSpec: Sendable {
    let vmid: Int
    let storage: String
    let words: [String]

    init(_ call: ActionCall) throws(DriverError) {
        var reader = ArgumentReader(call.arguments)
        vmid = try reader.vmid(of: call)
        storage = try reader.string("storage")
        let mode = try reader.string("mode")
        let packing = try reader.string("compress")
        // One backup runs on a node at a time; the tool would wait for the one before it for three hours.
        let wait = try reader.integer("lock_wait_min")
        let keep = try reader.optionalInteger("keep_last")
        let rate = try reader.optionalInteger("limit_kib_s")
        let isProtected = try reader.bool("protected")
        try reader.finish()
        if isProtected, keep != nil { throw .invalidArgument("keep_last", "does not go with protected") }
        var words = ["\(vmid)", "--storage", storage, "--mode", mode, "--compress", packing, "--lockwait", "\(wait)"]
        // Older backups go only when the call says so: the storage's own rule would remove them otherwise.
        words += keep.map { ["--remove", "1", "--prune-backups", "keep-last=\($0)"] } ?? ["--remove", "0"]
        words += rate.map { ["--bwlimit", "\($0)"] } ?? []
        if isProtected { words += ["--protected", "1"] }
        self.words = words
    }
}

extension Volume {
    /// `store:backup/vzdump-lxc-101-2026_11_21-12_00_00.tar.zst`, or of a backup server `pbs:backup/ct/101/2026-11-21T12:00:00Z`.
    static func isBackup(_ id: String, of vmid: Int) -> Bool {
        let name = id.drop { $0 != ":" }
        return Pattern.backup.accepts(id)
            && (name.hasPrefix(":backup/vzdump-lxc-\(vmid)-") || name.hasPrefix(":backup/ct/\(vmid)/"))
    }

    var json: JSONObject {
        var json: JSONObject = ["backup": .string(id), "present": true]
        json["size_bytes"] = sizeBytes.map { .integer($0) }
        json["vmid"] = vmid.map { .integer(Int64($0)) }
        return json
    }
}
