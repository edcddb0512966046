import ControllerCore
import WireProtocol

extension WordPressSpec {
    /// This specification as a service of another plan has it, then the overrides.
    ///
    /// Amounts, quotas, backups and HA are taken over. Where the site lies and what it is called stays; a plan with another
    /// network, zone or storage is refused, so that a service is never recorded as what it is not. A template is only what it was
    /// made of. Disks do not shrink.
    func grown(from present: JSONObject?, to plan: JSONObject?, overrides: JSONObject) throws(CoreError)
        -> WordPressSpec
    {
        var grown = self
        if let plan {
            let new = try WordPressSpec(json: plan, under: "plan")
            let old = present.flatMap { try? WordPressSpec(json: $0) } ?? self
            if let field = fixedField(from: old, to: new) {
                throw .invalid(
                    field: "plan",
                    problem: "names a plan with another \(field), which an upgrade cannot change: order a new service")
            }
            (grown.memoryBytes, grown.cores, grown.diskBytes) = (new.memoryBytes, new.cores, new.diskBytes)
            (grown.domains, grown.backups) = (new.domains, new.backups)
            if repairs == old.repairs { grown.repairs = new.repairs }
            grown.labels = new.labels.merging(labels.filter { old.labels[$0.key] != $0.value }) { $1 }
        }
        grown = try WordPressSpec(json: grown.json.merged(with: overrides), under: "overrides")
        guard grown.diskBytes >= diskBytes else {
            throw .invalid(
                field: plan == nil ? "overrides.disk_bytes" : "plan",
                problem: "would make the disk smaller than its \(diskBytes) bytes, and disks only grow")
        }
        return grown
    }

    private func fixedField(from old: WordPressSpec, to new: WordPressSpec) -> String? {
        func changes<Value: Equatable>(_ field: KeyPath<WordPressSpec, Value>) -> Bool {
            new[keyPath: field] != old[keyPath: field] && new[keyPath: field] != self[keyPath: field]
        }
        if changes(\.network) { return "network" }
        if changes(\.zone) { return "zone" }
        if new.storage != nil, changes(\.storage) { return "storage" }
        return changes(\.nodeLabels) ? "placement.labels" : nil
    }
}
