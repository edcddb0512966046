import DriverKit
import Model
import WireProtocol

/// What a call changes of a container: settings, disks that come, and what goes.
struct GuestChange: Sendable {
    let settings: GuestSettings
    /// Known by their paths.
    private let mounts: [Creation.Disk]
    /// Keys of the configuration. A mount point that goes leaves its disk as `unused0`, which has to go by that name.
    private let removals: [String]

    init(_ reader: inout ArgumentReader) throws(DriverError) {
        settings = try GuestSettings(&reader)
        mounts = try (reader.objects("mounts", limit: 32) ?? []).map { object throws(DriverError) in
            try Creation.Disk(object, hasPath: true)
        }
        removals = try reader.texts("remove", .removable) ?? []
        guard Set(mounts.map(\.path)).count == mounts.count else {
            throw .invalidArgument("mounts", "has two disks for the same path")
        }
        let kept = Set(settings.options.map(\.name) + settings.networks.map(\.device))
        if let both = removals.first(where: kept.contains) {
            throw .invalidArgument("remove", "names \(both), which is set by the same call")
        }
    }

    /// Words for what is not so yet.
    /// - Throws: `conflict` when two network interfaces would have the same name, which only shows at the next start.
    func missing(in config: GuestConfig) throws(DriverError) -> [String] {
        try checkNames(in: config)
        var words = settings.missing(in: config)
        var free = (0...255).lazy.map { "mp\($0)" }.filter { config.wished($0) == nil }.makeIterator()
        for mount in newMounts(in: config) {
            guard let key = free.next() else {
                throw DriverError(.conflict, "the container has all mount points in use")
            }
            words += ["--\(key)", mount.text]
        }
        let present = removals.filter { config.wished($0) != nil }
        return words + (present.isEmpty ? [] : ["--delete", present.joined(separator: ",")])
    }

    func isMet(by config: GuestConfig) -> Bool { (try? missing(in: config).isEmpty) ?? false }

    /// Bytes that the disks that come take of each storage.
    func sizes(missingIn config: GuestConfig) -> [String: Int64] {
        Dictionary(newMounts(in: config).map { ($0.storage, $0.gib << 30) }, uniquingKeysWith: +)
    }

    private func newMounts(in config: GuestConfig) -> [Creation.Disk] {
        let paths = Set(config.numbered("mp").compactMap { $0.properties["mp"] })
        return mounts.filter { !paths.contains($0.path ?? "") }
    }

    private func checkNames(in config: GuestConfig) throws(DriverError) {
        let own = Set(settings.networks.map(\.device) + removals)
        let others = config.numbered("net").filter { !own.contains($0.key) }.compactMap { $0.properties["name"] }
        if let twice = settings.networks.first(where: { others.contains($0.name) }) {
            throw DriverError(.conflict, "the container has another interface \(twice.name)")
        }
    }
}

extension Creation.Disk {
    /// As the tool wants a disk that it is to make.
    var text: String { "\(storage):\(gib)" + (path.map { ",mp=\($0)" } ?? "") }
}
