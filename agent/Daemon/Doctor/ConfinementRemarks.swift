import AgentCore
import DaemonKit
import Glibc

/// What the running agent's unit takes away from the tools that the agent starts.
///
/// The unit as packaged takes nothing of it; a drop-in that somebody has made may.
enum ConfinementRemarks {
    /// - Parameters:
    ///   - process: the running agent; nil when none runs.
    ///   - drivers: names of those that are there.
    static func examine(_ process: Int32?, _ drivers: Set<String>) -> [Remark] {
        guard let process else { return [] }
        var remarks: [Remark] = []
        if drivers.contains("cloudpanel"), hasNoNewPrivileges(process) {
            remarks.append(
                .wrong(
                    "unit", "process \(process) may gain no privileges, and clpctl works through sudo",
                    advice: "take NoNewPrivileges= out of the unit (systemctl cat innkeeper-agent), and restart it"))
        }
        if !drivers.isDisjoint(with: ["zfs", "proxmox"]), hasOwnMounts(process) {
            remarks.append(
                .wrong(
                    "unit", "process \(process) has mounts of its own: what it mounts, this machine does not see",
                    advice: "take PrivateTmp=, Protect…= and ReadOnlyPaths= out of the unit, and restart it"))
        }
        return remarks
    }

    private static func hasNoNewPrivileges(_ process: Int32) -> Bool {
        guard let bytes = try? AtomicFile.read("/proc/\(process)/status", limit: 64 << 10) else { return false }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").contains("NoNewPrivs:\t1")
    }

    /// Who looks is taken to be where the machine's own mounts are.
    private static func hasOwnMounts(_ process: Int32) -> Bool {
        guard let theirs = target("/proc/\(process)/ns/mnt"), let ours = target("/proc/self/ns/mnt") else {
            return false
        }
        return theirs != ours
    }

    private static func target(_ link: String) -> String? {
        var bytes = [CChar](repeating: 0, count: 256)
        let count = readlink(link, &bytes, bytes.count)
        return count > 0 ? String(decoding: bytes.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
    }
}
