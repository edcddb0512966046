package import DriverKit
import Glibc
import Model
import WireProtocol

/// Which datasets a call may work on: those that are seen below the folders that the node's owner has given to them. A
/// dataset with the system, with an agent's data or with somebody's home in it is none, mounted or not.
extension ZFSDriver {
    /// Actions that change nothing and hand data out all the same.
    private static let revealing: Set<String> = ["dataset.send", "dataset.diff"]
    /// Actions that mount.
    private static let mounting: Set<String> = ["dataset.ensure", "dataset.clone"]
    /// Arguments with which an action reaches what lies below its dataset.
    private static let reaching = ["recursive", "replicate", "overwrite"]
    /// Actions that give a dataset other contents, by the argument that names it.
    private static let refilling = [
        "dataset.rollback": "dataset", "dataset.receive": "dataset", "dataset.copy": "target",
    ]

    /// - Returns: where the call mounts something, or puts other contents in place of what is mounted.
    /// - Throws: `permissionDenied` when the call works on a dataset that is not among them, or would show one elsewhere.
    private func admit(_ call: ActionCall) async throws(DriverError) -> [String] {
        guard let spec = action(call.action), spec.kind == .mutate || Self.revealing.contains(spec.name) else {
            return []
        }
        var places: [String] = []
        let names = Set(["dataset", "target"].compactMap { call.arguments[$0]?.asString })
        let wished = call.arguments["mountpoint"]?.asString
        for name in names.sorted() where Grammar.datasetName.accepts(name) && name.contains("/") {
            // The place that is asked for is the new dataset's.
            let isMade = call.resource == "zfs/\(name)" && Self.mounting.contains(spec.name)
            let place = try await admit(name, mountingAt: isMade ? wished : nil, mounts: isMade)
            if let place, isMade || name == Self.refilled(by: call) { places.append(place) }
            guard Self.reaching.contains(where: { call.arguments[$0]?.asBool == true }) else { continue }
            for child in try await below(name) {
                try await admitPlace(child, of: child.name, try await roots(child.name))
            }
        }
        guard let name = Self.refilled(by: call), let point = try await point(of: name) else { return places }
        try await checkBelow(name, at: point)
        return places + [point]
    }

    /// The dataset that gets other contents.
    private static func refilled(by call: ActionCall) -> String? {
        refilling[call.action].flatMap { call.arguments[$0]?.asString }
    }

    /// Does `work` with what a call may do, while nobody is given what could lead its mounts elsewhere, or be led by them.
    func admitting<Value>(
        _ call: ActionCall, _ work: () async throws(DriverError) -> Value
    ) async throws(DriverError) -> Value {
        let table = root.isEmpty ? MountTable.now() : MountTable("")
        let places = try await admit(call).map { PlacedBind(NodeBind(source: $0, isReadOnly: false), table) }
        return try await claims.holding(places) { () async throws(DriverError) in
            try await self.checkContainers(around: places, table)
            return try await work()
        }
    }

    /// Containers stay when what they have mounted is gone, and the engine follows their paths anew at each start: a link in
    /// what comes above such a path would lead it anywhere. And who writes above a place leads what is mounted there.
    private func checkContainers(around places: [PlacedBind], _ table: MountTable) async throws(DriverError) {
        guard !places.isEmpty else { return }
        let found: (above: NodeBind, below: NodeBind)?
        do throws(DriverError) { found = try await claims.container(entangledWith: places, table) } catch {
            throw DriverError(
                .unavailable, "nothing is mounted while it cannot be told what containers see", retryable: true,
                cause: error.message)
        }
        guard let (above, below) = found else { return }
        let isOurs = places.contains { $0.bind == above }
        throw DriverError(
            .permissionDenied,
            isOurs
                ? "nothing is put at \(above.source): a container has \(below.source), which lies in it"
                : "nothing is mounted at \(below.source): a container can write to \(above.source)",
            cause: "remove the container first")
    }

    private func point(of name: String) async throws(DriverError) -> String? {
        // A whole pool is refused for what it is.
        guard name.contains("/"), Grammar.datasetName.accepts(name),
            let point = try await look(name)?.text("mountpoint"), point.hasPrefix("/")
        else { return nil }
        return point
    }

    /// Whether calls may change a dataset: by its place, whosever it is.
    package func reaches(_ dataset: String) async throws(DriverError) -> Bool {
        guard dataset.contains("/"), let found = try await look(dataset) else { return false }
        do {
            try await admitPlace(found, of: dataset, try await roots(dataset))
            return true
        } catch  where error.code == .permissionDenied { return false }
    }

    /// What is mounted below a dataset is mounted again when its contents have changed, and a link among them would lead
    /// that mount, and whoever mounts it, elsewhere.
    private func checkBelow(_ name: String, at point: String) async throws(DriverError) {
        for other in try await datasets() where other.name != name && other.text("mounted") == "yes" {
            guard let inner = other.text("mountpoint"), inner.lies(below: point) else { continue }
            throw DriverError(
                .permissionDenied, "dataset \(name) gets no other contents while datasets are mounted below it",
                cause: "\(other.name) is mounted at \(inner)")
        }
    }

    private func below(_ name: String) async throws(DriverError) -> [ZFSObject] {
        do {
            return try await datasets(below: name).filter { $0.name != name }
        } catch  where error.code == .notFound { return [] }
    }

    /// - Returns: where it would be mounted, if it is not there yet.
    private func admit(
        _ name: String, mountingAt wished: String?, mounts: Bool
    ) async throws(DriverError) -> String? {
        let parts = name.split(separator: "/")
        let line = parts.indices.map { parts[...$0].joined(separator: "/") }
        let found = try await objects(line, ["type", "mountpoint", "mounted", ZFSObject.ownerProperty])
        let roots = mountRoots ?? Self.usable([found.first { $0.name == line[0] }?.text("mountpoint")])
        let present = found.first { $0.name == name }
        if let present { try await admitPlace(present, of: name, roots) }
        let place = wished ?? Self.place(of: name, found)
        guard let place, wished != nil || present == nil || mounts && present?.text("mounted") == "no" else {
            return nil
        }
        try checkPlace(place, of: name, roots)
        guard mounts else { return place }
        try checkWay(to: place, of: name, roots)
        let isThere = present?.text("mounted") == "yes" && present?.text("mountpoint") == place
        if !isThere { try checkEmpty(place, of: name) }
        var around = found
        if wished != nil { around += try await datasets() }
        try Self.checkNeighbours(of: name, at: place, around)
        return isThere ? nil : place
    }

    /// Where a dataset is seen by its own property, or will be by its ancestors'. Nil for one that is not mounted by ZFS.
    private static func place(of name: String, _ line: [ZFSObject]) -> String? {
        guard let nearest = line.last, let point = nearest.text("mountpoint"), point.hasPrefix("/") else { return nil }
        return nearest.name == name ? point : point + name.dropFirst(nearest.name.count)
    }

    private func admitPlace(_ object: ZFSObject, of name: String, _ roots: [String]) async throws(DriverError) {
        let point = object.text("mountpoint").flatMap { $0.hasPrefix("/") ? $0 : nil }
        // One that somebody has mounted by hand, or that /etc/fstab mounts, says nothing of its place itself.
        let mounted = root.isEmpty ? MountTable.now().mounts.filter { $0.dataset == name }.map(\.point) : []
        for place in Set([point].compactMap(\.self) + mounted) { try checkPlace(place, of: name, roots) }
    }

    private func roots(_ name: String) async throws(DriverError) -> [String] {
        if let mountRoots { return mountRoots }
        let pool = String(name.prefix { $0 != "/" })
        return Self.usable([try await look(pool, ["mountpoint"])?.text("mountpoint")])
    }

    /// A pool that is mounted over the system gives its datasets no place of their own.
    private static func usable(_ points: [String?]) -> [String] {
        points.compactMap(\.self).filter { $0.hasPrefix("/") && !ClosedPlaces.isSystem($0) }
    }

    private func checkPlace(_ place: String, of name: String, _ roots: [String]) throws(DriverError) {
        guard roots.contains(where: { place.lies(below: $0) }) else {
            let places = roots.isEmpty ? "no folder" : roots.joined(separator: ", ")
            throw DriverError(
                .permissionDenied, "dataset \(name) has its place at \(place), and this node gives datasets \(places)",
                cause: "zfs_mount_roots in the agent's configuration names folders")
        }
        if let closed = closed.trespass(of: place) {
            throw DriverError(
                .permissionDenied, "dataset \(name) may not be seen at \(place): \(closed) is never touched")
        }
    }

    /// Mounting follows links: there must be none between the folder that the node's owner has named and the place.
    private func checkWay(to place: String, of name: String, _ roots: [String]) throws(DriverError) {
        guard let top = roots.first(where: { place.lies(below: $0) }) else { return }
        var way = top
        for part in place.dropFirst(top.count).split(separator: "/") {
            way += "/\(part)"
            var status = stat()
            guard lstat(root + way, &status) == 0, status.st_mode & S_IFMT != S_IFDIR else { continue }
            throw DriverError(.permissionDenied, "dataset \(name) may not be mounted at \(place): \(way) is no folder")
        }
    }

    /// A mount hides what is there, and puts what is in the dataset in its place: also where others are mounted, or look.
    private func checkEmpty(_ place: String, of name: String) throws(DriverError) {
        guard name.contains("/"), !Self.entries(of: root + place).isEmpty else { return }
        throw DriverError(
            .permissionDenied, "dataset \(name) may not be mounted at \(place): something is there already",
            cause: "the mount would hide it; empty the folder, or name another")
    }

    /// Inside the data of a service its containers could put a link where the dataset is to be mounted.
    private static func checkNeighbours(
        of name: String, at place: String, _ around: [ZFSObject]
    ) throws(DriverError) {
        for other in around where other.name != name {
            guard let owner = other.owner, let point = other.text("mountpoint"), place.lies(in: point) else { continue }
            throw DriverError(
                .permissionDenied, "dataset \(name) would be mounted at \(place), inside the data of \(owner)",
                cause: "\(other.name) is mounted at \(point)")
        }
    }
}

/// Parents of datasets.
extension ZFSDriver {
    /// Whose a dataset is by its mark.
    package func owner(of dataset: String) async throws(DriverError) -> String? {
        try await look(dataset, [ZFSObject.ownerProperty])?.owner
    }

    /// Makes what is missing above a dataset, open to root only: what lies in it is its tenants'.
    func makeParents(of name: String) async throws(DriverError) {
        let parts = name.split(separator: "/").dropLast()
        for count in 2..<max(2, parts.count + 1) {
            let parent = parts.prefix(count).joined(separator: "/")
            guard try await look(parent, ["guid"]) == nil else { continue }
            do {
                try await tools.act(["create", "--", parent])
            } catch {
                // Two calls that make the same parent get in each other's way.
                guard try await look(parent, ["guid"]) != nil else { throw error }
            }
            try await close(parent)
        }
    }

    /// Closes the parent of a tenant's dataset to the node's other users, where it holds tenants' datasets and nothing else.
    /// Bind mounts lead past it.
    func closeParent(of name: String) async throws(DriverError) {
        let parent = String(name[..<(name.lastIndex(of: "/") ?? name.startIndex)])
        guard parent.contains("/"), let found = try await look(parent), found.owner == nil,
            let point = openPlace(of: found)
        else { return }
        let children = try await datasets(below: parent).filter { child in
            child.name != parent && !child.name.dropFirst(parent.count + 1).contains("/")
        }
        guard children.allSatisfy({ $0.owner != nil }) else { return }
        let points = Set(children.compactMap { $0.text("mountpoint") })
        guard Self.entries(of: root + point).allSatisfy({ points.contains("\(point)/\($0)") }) else { return }
        chmod(root + point, 0o700)
    }

    private func close(_ name: String) async throws(DriverError) {
        if let found = try await look(name), let point = openPlace(of: found) { chmod(root + point, 0o700) }
    }

    /// Where a dataset is mounted, when others than root may go in.
    private func openPlace(of found: ZFSObject) -> String? {
        guard found.text("mounted") == "yes", let point = found.text("mountpoint"), point.hasPrefix("/") else {
            return nil
        }
        var status = stat()
        guard lstat(root + point, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_uid == 0,
            status.st_mode & 0o7777 == 0o755
        else { return nil }
        return point
    }

    private static func entries(of folder: String) -> [String] {
        (NodeFolder.names(in: folder) ?? []).filter { $0 != ".zfs" }
    }
}
