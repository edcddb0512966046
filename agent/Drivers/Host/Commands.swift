import CLinux
import DriverKit
import Glibc
import Synchronization
import WireProtocol

/// The host only looks: nothing here changes the machine.
extension HostDriver {
    func tellSystem(_ call: ActionCall) throws(DriverError) -> ActionOutcome {
        try ArgumentReader(call.arguments).finish()
        return ActionOutcome(changed: false, observed: systemInformation())
    }

    func listFilesystems(_ call: ActionCall) throws(DriverError) -> ActionOutcome {
        try ArgumentReader(call.arguments).finish()
        let list = state.withLock { state in
            state.diskMounts().compactMap { mount -> JSONValue? in
                guard let room = state.room(of: mount.path) else { return nil }
                return [
                    "path": .string(mount.path), "device": .string(mount.device), "kind": .string(mount.kind),
                    "total_bytes": .integer(Int64(clamping: room.total_bytes)),
                    "available_bytes": .integer(Int64(clamping: room.available_bytes)),
                    "free_files": .integer(Int64(clamping: room.free_files)),
                ]
            }
        }
        return ActionOutcome(changed: false, observed: ["filesystems": .array(list)])
    }

    func listContainers(_ call: ActionCall) throws(DriverError) -> ActionOutcome {
        try ArgumentReader(call.arguments).finish()
        let list = state.withLock { state in
            state.runningContainers().map { JSONValue.object($0.json(state.cgroups, state.files)) }
        }
        return ActionOutcome(changed: false, observed: ["containers": .array(list)])
    }

    /// Whole seconds of what `/proc/uptime` says.
    static func seconds(_ uptime: Double) -> Int64 { Int64(exactly: uptime.rounded(.down)) ?? .max }

    func systemInformation() -> JSONObject {
        state.withLock { state in
            let files = state.files
            var object: JSONObject = ["kernel": .string(version)]
            object["hostname"] = files.text("/proc/sys/kernel/hostname").map { .string($0) }
            object["boot"] = files.text("/proc/sys/kernel/random/boot_id").map { .string($0) }
            object["processors"] = .integer(Int64(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
            object["memory_bytes"] = files.read("/proc/meminfo") { MemoryFigures(&$0) }
                .map { .integer(Int64(clamping: $0.total)) }
            object["uptime_seconds"] = files.read("/proc/uptime") { $0.decimal() }.map { .integer(Self.seconds($0)) }
            object["cgroups"] = .integer(state.cgroups.isUnified ? 2 : 1)
            return object
        }
    }
}
