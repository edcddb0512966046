import ControllerCore
import Store
import WireProtocol

extension WordPress {
    static let backups = BackupOffer(
        rule: { spec in
            guard let backups = (try? WordPressSpec(json: spec))?.backups else { return .init(keep: 0, every: nil) }
            return BackupOffer.Rule(keep: backups.retention, every: backups.schedule.interval)
        }, backUp: .backUp, restore: .restore, remove: RemoveBackup.verb,
        question: { look, backup in
            guard let vmid = look.service.address["vmid"]?.asInteger else { return nil }
            return Question(
                driver: "proxmox", action: "backup.list", resource: "proxmox/node",
                arguments: ["storage": .string(storage(of: backup.name)), "vmid": .integer(vmid)])
        },
        isShared: { look, backup, node in
            // Of the node, which has no generations of one service.
            let question = Question(driver: "proxmox", action: "storage.list", resource: "proxmox/node")
            let seen = await look.dependencies.looks.ask(question, of: node, by: look.name)
            guard seen.missing == nil, let result = seen.result, result.status == .succeeded else { return nil }
            return isShared(storage(of: backup.name), result.observed)
        },
        read: { seen, backup in
            guard seen.status == .succeeded, let listed = seen.observed["backups"]?.asArray else { return .unclear }
            guard let found = listed.first(where: { $0["backup"]?.asString == backup.name }) else { return .gone }
            return .there(sizeBytes: found["size_bytes"]?.asInteger)
        },
        copy: { spec, plan throws(CoreError) in
            try WordPressSpec(json: spec).copied(as: plan).json
        })

    /// Whether all nodes of the cluster reach a storage, by what one of them lists; nil where it lists none of this name.
    static func isShared(_ storage: String, _ listed: JSONObject) -> Bool? {
        guard let found = listed["storages"]?.asArray?.first(where: { $0["storage"]?.asString == storage }) else {
            return nil
        }
        return found["shared"] == true
    }

    /// `storage:backup/…`
    static func storage(of backup: String) -> String { String(backup.prefix { $0 != ":" }) }
}

extension WordPressSpec.Backups.Schedule {
    fileprivate var interval: Duration? {
        switch self {
        case .none: nil
        case .daily: .seconds(86_400)
        case .weekly: .seconds(7 * 86_400)
        }
    }
}

extension WordPressSpec {
    /// Of a site that is made of a backup of this one. Whose it is goes along; the disk must hold what is in it.
    fileprivate func copied(as plan: JSONObject?) throws(CoreError) -> WordPressSpec {
        guard let plan else { return self }
        var copy = try WordPressSpec(json: plan, under: "into.plan")
        guard copy.diskBytes >= diskBytes else {
            throw .invalid(
                field: "into.plan",
                problem: "has a smaller disk than the \(diskBytes) bytes of the site that the backup is of")
        }
        (copy.email, copy.title) = (copy.email ?? email, copy.title ?? title)
        copy.labels = copy.labels.merging(labels) { own, _ in own }
        return copy
    }
}
