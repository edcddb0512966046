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
    func sharedStorages() -> Set<String> { SharedStorages.names(in: storageSections()) }

    func storageSections() -> SectionFile { SectionFile(FileText.read("\(root)/etc/pve/storage.cfg") ?? "") }

    /// Templates of containers by their volumes' names, on storages that are folders. Nil where one of the others may have some too:
    /// then nobody can say what is missing.
    func templates(_ storages: SectionFile) -> [String]? {
        let holders = storages.sections.filter { $0.contents.contains("vztmpl") && !$0.isOn("disable") }
        guard !storages.sections.isEmpty else { return nil }
        var found: [String] = []
        for storage in holders {
            guard let folder = storage.folder, let names = FileText.names(in: "\(root)\(folder)/template/cache") else {
                return nil
            }
            let templates = names.filter { $0.contains(".tar.") || $0.hasSuffix(".tar") }
            found += templates.map { "\(storage.name):vztmpl/\($0)" }
        }
        return found.count > Self.mostTemplates ? nil : found.sorted()
    }

    private static var mostTemplates: Int { 1000 }

    /// Bridges and other interfaces that guests' cards may be put on; those of guests themselves are left out.
    func interfaces() -> [String]? {
        guard let names = FileText.names(in: "\(root)/sys/class/net") else { return nil }
        let guests = ["veth", "tap", "fwbr", "fwln", "fwpr"]
        return names.filter { name in name != "lo" && !guests.contains { name.hasPrefix($0) } }.sorted()
    }
}

extension SectionFile.Section {
    /// What may lie there: what the section says, or what Proxmox takes for said.
    var contents: [String] {
        if values["content"] != nil { return list("content").sorted() }
        switch kind {
        case "dir", "zfspool", "lvmthin", "btrfs": return ["images", "rootdir"]
        case "pbs", "cephfs": return ["backup"]
        default: return ["images"]
        }
    }

    /// Where a storage that is a folder is seen.
    fileprivate var folder: String? {
        switch kind {
        case "dir", "btrfs": values["path"]
        case "nfs", "cifs", "cephfs", "glusterfs": values["path"] ?? "/mnt/pve/\(name)"
        default: nil
        }
    }
}
