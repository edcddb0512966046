import Glibc
import WireProtocol

/// The node's cluster, as the cluster's file system shows it.
struct Cluster: Sendable, Hashable {
    /// Nil for a node of its own.
    let name: String?
    /// Whether anything can be changed.
    let isQuorate: Bool
    let nodes: [String]
}

extension NodeFiles {
    /// Nil when nothing is there.
    func cluster() -> Cluster? {
        guard isThere else { return nil }
        let members = FileText.read("\(root)/etc/pve/.members").flatMap { try? JSONObject(parsing: $0) }
        let known = FileText.names(in: "\(root)/etc/pve/nodes") ?? [node]
        return Cluster(
            name: members?["cluster"]?["name"]?.asString ?? configuredName, isQuorate: isWritable,
            nodes: members?["nodelist"]?.asObject?.keys.sorted() ?? known)
    }

    /// Whether the cluster's file system takes changes. It shows that in the modes of what it holds, whoever asks; what its
    /// files say of the quorum is missing while the cluster's own process is down.
    var isWritable: Bool {
        var status = stat()
        return lstat("\(root)/etc/pve/nodes/\(node)", &status) == 0 && status.st_mode & S_IWUSR != 0
    }

    /// The cluster's name in its own configuration, which is there when its process does not run.
    private var configuredName: String? {
        let lines = (FileText.read("\(root)/etc/pve/corosync.conf") ?? "").configurationLines
        return lines.compactMap { line -> String? in
            let parts = line.split(separator: ":", maxSplits: 1)
            return parts.count == 2 && parts[0].trimmed == "cluster_name" ? parts[1].trimmed : nil
        }.first
    }
}
