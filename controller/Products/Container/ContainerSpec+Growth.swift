import ControllerCore
import WireProtocol

extension ContainerSpec {
    /// This specification as a service of another plan has it, then the overrides.
    ///
    /// What a plan changes is what differs between it and the service's present plan: what the service was given beside
    /// its plan stays its own. Amounts, labels, `image_tar`, `repair` and the strategy are taken over. What would take
    /// another container or another node is refused, so that a service is never recorded as what it is not.
    /// - Parameter present: the plan that the service has; nil when nobody knows it any more.
    func grown(from present: JSONObject?, to plan: JSONObject?, overrides: JSONObject) throws(CoreError)
        -> ContainerSpec
    {
        guard let plan else { return try overridden(by: overrides) }
        let (old, new) = (
            present.flatMap { try? ContainerSpec(json: $0) } ?? self, try ContainerSpec(json: plan, under: "plan")
        )
        if let field = fixedField(from: old, to: new) {
            throw .invalid(
                field: "plan",
                problem: "names a plan with another \(field), which an upgrade cannot change: order a new service")
        }
        return try taking(over: new, from: old).overridden(by: overrides)
    }

    /// The first field that an upgrade would have to change and cannot.
    private func fixedField(from old: ContainerSpec, to new: ContainerSpec) -> String? {
        func changes<Value: Equatable>(_ field: KeyPath<ContainerSpec, Value>) -> Bool {
            new[keyPath: field] != old[keyPath: field] && new[keyPath: field] != self[keyPath: field]
        }
        if changes(\.image) { return "image" }
        if changes(\.command) { return "command" }
        if changes(\.environment) { return "env" }
        if changes(\.mountPath) { return "mount_path" }
        if changes(\.network) { return "network" }
        if changes(\.ports) { return "ports" }
        if new.pool != nil, changes(\.pool) { return "pool" }
        return changes(\.nodeLabels) ? "placement.labels" : nil
    }

    private func taking(over new: ContainerSpec, from old: ContainerSpec) -> ContainerSpec {
        var grown = self
        (grown.memoryBytes, grown.cpuMillis, grown.diskBytes) = (new.memoryBytes, new.cpuMillis, new.diskBytes)
        grown.imageTar = new.imageTar
        if repairs == old.repairs { grown.repairs = new.repairs }
        if strategy == old.strategy { grown.strategy = new.strategy }
        let own = labels.filter { old.labels[$0.key] != $0.value }
        grown.labels = new.labels.merging(own) { $1 }
        return grown
    }
}
