import DriverKit
import Model
import WireProtocol

/// What a call changes of a container: settings, disks that come, what goes, and changes that are taken back.
struct GuestChange: Sendable {
    let settings: GuestSettings
    /// Whether what the container does not take while it runs may wait for its next start.
    let mayWait: Bool
    /// Known by their paths.
    private let mounts: [Creation.Disk]
    /// Keys of the configuration. A mount point that goes leaves its disk as `unused0`, which has to go by that name.
    private let removals: [String]
    /// Keys whose pending change is given up.
    private let reverts: [String]

    init(_ reader: inout ArgumentReader) throws(DriverError) {
        settings = try GuestSettings(&reader)
        mounts = try (reader.objects("mounts") ?? []).map { object throws(DriverError) in
            try Creation.Disk(object, hasPath: true)
        }
        removals = try reader.strings("remove") ?? []
        reverts = try reader.strings("revert") ?? []
        mayWait = try reader.optionalString("apply") == "at_restart"
        guard Set(mounts.map(\.path)).count == mounts.count else {
            throw .invalidArgument("mounts", "has two disks for the same path")
        }
        let kept = Set(settings.options.map(\.name) + settings.networks.map(\.device))
        if let both = removals.first(where: kept.contains) {
            throw .invalidArgument("remove", "names \(both), which is set by the same call")
        }
        if let both = reverts.first(where: { kept.contains($0) || removals.contains($0) }) {
            throw .invalidArgument("revert", "names \(both), which is changed by the same call")
        }
    }

    /// What is not so yet.
    /// - Throws: `conflict` when two network interfaces would have the same name, which only shows at the next start.
    func plan(in config: GuestConfig) throws(DriverError) -> ChangePlan {
        try checkNames(in: config)
        var plan = ChangePlan()
        for want in settings.wants(in: config) { plan.add(want, in: config) }
        try add(mounts, to: &plan, in: config)
        for key in removals { plan.remove(key, in: config) }
        plan.reverts += reverts.filter { config.waiting.contains($0) && !plan.reverts.contains($0) }
        return plan
    }

    /// A disk is known by its path: it is there, or will be, or would have gone.
    private func add(
        _ mounts: [Creation.Disk], to plan: inout ChangePlan, in config: GuestConfig
    ) throws(DriverError) {
        let (present, coming) = (Self.paths(config.values), Self.paths(config.pending))
        var free = (0...255).lazy.map { "mp\($0)" }.filter { config[$0] == nil && config.pending[$0] == nil }
            .makeIterator()
        for mount in mounts {
            if let key = present[mount.path ?? ""] {
                guard mount.isHeld(by: config[key]) else {
                    throw DriverError(
                        .conflict, "\(mount.path ?? "") is there as \(key), but on another storage or smaller")
                }
                if config.wished(key) != config[key] { plan.reverts.append(key) }
            } else if let key = coming[mount.path ?? ""] {
                plan.waiting.append(key)
            } else if let key = free.next() {
                plan.settings += ["--\(key)", mount.text]
            } else {
                throw DriverError(.conflict, "the container has all mount points in use")
            }
        }
    }

    /// Keys of mount points by their paths.
    private static func paths(_ values: [String: String]) -> [String: String] {
        let found = values.filter { $0.key.hasPrefix("mp") }.compactMap { key, value in
            PropertyText(value)["mp"].map { ($0, key) }
        }
        return Dictionary(found) { first, _ in first }
    }

    /// Bytes that the disks that come take of each storage.
    func sizes(missingIn config: GuestConfig) -> [String: Int64] {
        let paths = Set(Self.paths(config.values).keys).union(Self.paths(config.pending).keys)
        let new = mounts.filter { !paths.contains($0.path ?? "") }
        return Dictionary(new.map { ($0.storage, $0.gib << 30) }, uniquingKeysWith: +)
    }

    private func checkNames(in config: GuestConfig) throws(DriverError) {
        let own = Set(settings.networks.map(\.device) + removals)
        let others = (0...31).map { "net\($0)" }.filter { !own.contains($0) }.flatMap { key in
            [config[key], config.pending[key]].compactMap { $0.flatMap { PropertyText($0)["name"] } }
        }
        if let twice = settings.networks.first(where: { others.contains($0.name) }) {
            throw DriverError(.conflict, "the container has another interface \(twice.name)")
        }
    }
}

extension Creation.Disk {
    /// Whether a disk is this one, or has grown from it.
    func isHeld(by text: String?) -> Bool {
        let found = PropertyText(text ?? "")
        return found.first?.hasPrefix("\(storage):") == true && found["mp"] == path
            && found["size"].flatMap(SizeText.bytes).map { $0 >= gib << 30 } ?? false
    }

    /// As the tool wants a disk that it is to make.
    var text: String { "\(storage):\(gib)" + (path.map { ",mp=\($0)" } ?? "") }
}
