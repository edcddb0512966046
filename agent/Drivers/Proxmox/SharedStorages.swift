/// Storages that all nodes of the cluster reach alike.
enum SharedStorages {
    /// Kinds that lie on the network, whatever their sections say; of others the section says it.
    private static let kinds: Set<String> = [
        "cephfs", "cifs", "drbd", "glusterfs", "iscsi", "iscsidirect", "nfs", "pbs", "rbd", "zfs",
    ]

    static func names(in file: SectionFile) -> Set<String> {
        Set(file.sections.filter { kinds.contains($0.kind) || $0.isOn("shared") }.map(\.name))
    }
}

extension NodeFiles {
    func sharedStorages() -> Set<String> {
        SharedStorages.names(in: SectionFile(FileText.read("\(root)/etc/pve/storage.cfg") ?? ""))
    }
}
