package import DriverKit

extension ProxmoxDriver {
    package func needs() async -> [Need] {
        let further: [(ProxmoxTools.Tool, String, String)] = [
            (.haManager, "high availability", "pve-ha-manager"), (.vzdump, "backups", "pve-manager"),
            (.pvesh, "the version and lists of storages", "pve-manager"),
            (.umount, "taking up a broken-off copy", "mount"),
        ]
        return [
            Need(
                "/etc/pve", for: "everything", vital: true, problem: await clusterProblem,
                advice: "systemctl status pve-cluster; pvecm status")
        ] + further.map { Need.program(tools.path($0.0), for: $0.1, package: $0.2) } + [
            Need.program("sha256sum", for: "files that are pushed and pulled", package: "coreutils"),
            Need.folder("/var/tmp", for: "files that are pushed and pulled", vital: false),
        ]
    }

    /// A node without the quorum of its cluster can be looked at, and no more.
    private var clusterProblem: String? {
        get async {
            do throws(DriverError) {
                guard try await files.aside({ $0.isThere }) else { return "/etc/pve holds nothing of this node" }
                let isQuorate = try await files.aside { $0.cluster()?.isQuorate ?? true }
                return isQuorate ? nil : "the cluster has no quorum, so nothing can be changed"
            } catch { return error.message }
        }
    }
}
