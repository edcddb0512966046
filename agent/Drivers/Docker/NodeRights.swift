package import DriverKit
import Glibc
import WireProtocol

/// What of the node containers may have. The node's owner says it in the agent's configuration; nobody else can.
package struct NodeRights: Sendable {
    /// Whose a dataset is by its mark; nil for one without a mark.
    package typealias OwnerOfDataset = @Sendable (_ dataset: String) async throws(DriverError) -> String?
    /// Whether a controller may roll a dataset back, receive into it or clone it.
    package typealias ReachOfDatasets = @Sendable (_ dataset: String) async throws(DriverError) -> Bool

    package static let usualImages = "/var/lib/innkeeper/images"

    /// Wishes that containers outside of compose projects may have.
    package var allows: Set<ComposeRisk>
    /// Folders below which anything may be mounted that is not somebody else's.
    package var mountRoots: [String]
    /// Folders with files that images are made of.
    package var imageRoots: [String]
    /// What is never shown.
    package var closed: ClosedPlaces
    /// A node without ZFS has none.
    package var owner: OwnerOfDataset?
    /// Without it, all of them.
    package var reaches: ReachOfDatasets?
    /// What is mounted where.
    package var mounts: @Sendable () -> MountTable = { MountTable.now() }

    package init(
        allows: Set<ComposeRisk> = [], mountRoots: [String] = [], imageRoots: [String] = [Self.usualImages],
        closed: ClosedPlaces = ClosedPlaces(), owner: OwnerOfDataset? = nil
    ) {
        (self.allows, self.mountRoots, self.imageRoots) = (allows, mountRoots, imageRoots)
        (self.closed, self.owner) = (closed, owner)
    }

    func closing(_ paths: [String]) -> NodeRights {
        var rights = self
        rights.closed = closed.adding(paths)
        return rights
    }
}

/// How a path of the node stands to a container that wants to see it.
enum BindStanding: Sendable, Hashable {
    case free
    /// Only a word of the node's owner opens it.
    case closed(String)
    /// Nothing does.
    case never(String)
}

extension NodeRights {
    /// - Parameter owner: for whom the container is.
    func standing(of source: String, for owner: String) async throws(DriverError) -> BindStanding {
        let table = mounts()
        // Nothing outside is even looked at: an answer would tell whether it is there.
        let isNamed = mountRoots.contains { source.lies(in: $0) }
        guard isNamed || allows.contains(.binds) || table.mount(of: source)?.dataset != nil else {
            return .closed("it lies in none of the folders for mounts")
        }
        guard let real = NodePath.real(source) else { return .closed("a link on the way leads nowhere") }
        if let place = closed.trespass(of: real, table) { return .never("\(place) is never shown") }
        var status = stat()
        if stat(real, &status) == 0, ![S_IFDIR, S_IFREG].contains(status.st_mode & S_IFMT) {
            return .closed("it is neither a file nor a folder")
        }
        if let standing = try await standing(of: real, for: owner, amongDatasets: table) { return standing }
        if ClosedPlaces.isSystem(real) { return .closed("it is the system's") }
        let isBelow = mountRoots.contains { real.lies(in: NodePath.real($0) ?? $0) }
        return isBelow ? .free : .closed("it lies in none of the folders for mounts, and bears no mark of \(owner)")
    }

    /// What datasets have to say of a real path; nil where they say nothing.
    ///
    /// The engine follows a path anew at each start, its own restarts included. Below the mount point of a dataset the
    /// path is part of the data: a container that writes there could have left a link, and a snapshot brings it back long
    /// after anybody looked. The mount point itself is no part of them.
    private func standing(
        of real: String, for owner: String, amongDatasets table: MountTable
    ) async throws(DriverError) -> BindStanding? {
        let around = table.mounts.filter { real.lies(in: $0.point) && $0.dataset != nil }
        let deepest = table.mount(of: real)
        var (isOwn, inside) = (false, String?.none)
        for mount in around + table.mounts(below: real) {
            guard let dataset = mount.dataset, let holder = try await self.owner?(dataset) else {
                if mount.point.lies(below: real) { return .closed("\(mount.point) is mounted in it") }
                // Of the parents of a mount point the ZFS driver itself takes care.
                if let dataset = mount.dataset, mount == deepest, real != mount.point, try await isReached(dataset) {
                    inside = inside ?? Self.inside(dataset, mount.point)
                }
                continue
            }
            guard holder == owner else { return .never("it holds data of \(holder)") }
            if real.lies(below: mount.point) { inside = Self.inside(dataset, mount.point) }
            // What stands in the list may be hidden by what was mounted over it.
            isOwn = isOwn || real == mount.point && MountTable.device(of: real) == mount.device
        }
        if let inside { return .closed(inside) }
        return isOwn ? .free : nil
    }

    private static func inside(_ dataset: String, _ point: String) -> String {
        "it lies inside of dataset \(dataset), whose snapshots can put a link in its place; "
            + "mount \(point) itself, or make a dataset for it"
    }

    private func isReached(_ dataset: String) async throws(DriverError) -> Bool {
        guard !dataset.contains("@"), let reaches else { return true }
        return try await reaches(dataset)
    }
}

extension MountTable {
    /// Major and minor number of a path's file system, as the table has them.
    static func device(of path: String) -> String? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        let number = status.st_dev
        return "\(number >> 8 & 0xFFF | number >> 32 & ~0xFFF):\(number & 0xFF | number >> 12 & ~0xFF)"
    }
}
