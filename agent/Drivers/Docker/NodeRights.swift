package import DriverKit
import Glibc
import WireProtocol

/// What of the node containers may have. The node's owner says it in the agent's configuration; nobody else can.
package struct NodeRights: Sendable {
    /// Whose a dataset is by its mark; nil for one without a mark.
    package typealias OwnerOfDataset = @Sendable (_ dataset: String) async throws(DriverError) -> String?

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

/// Something of the node that a container sees, by its path there.
struct NodeBind: Sendable, Hashable {
    var source: String
    var isReadOnly: Bool

    init(source: String, isReadOnly: Bool) { (self.source, self.isReadOnly) = (source, isReadOnly) }

    /// An entry of a listing; nil for a volume.
    init?(_ value: JSONValue) {
        guard value["Type"]?.asString == "bind", let source = value["Source"]?.asString else { return nil }
        self.init(source: source, isReadOnly: value["RW"]?.asBool == false)
    }

    /// Whether who writes in the one could put a link in the place of the other, which would lead the engine anywhere when
    /// the container starts the next time.
    func leads(_ other: NodeBind) -> Bool { !isReadOnly && other.source.lies(below: source) }
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
        let table = MountTable.now()
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
        var isOwn = false
        for mount in [table.mount(of: real)].compactMap(\.self) + table.mounts(below: real) {
            guard let dataset = mount.dataset, let holder = try await self.owner?(dataset) else {
                if mount.point.lies(below: real) { return .closed("\(mount.point) is mounted in it") }
                continue
            }
            guard holder == owner else { return .never("it holds data of \(holder)") }
            if !mount.point.lies(below: real) { isOwn = true }
        }
        if isOwn { return .free }
        if ClosedPlaces.isSystem(real) { return .closed("it is the system's") }
        let isBelow = mountRoots.contains { real.lies(in: NodePath.real($0) ?? $0) }
        return isBelow ? .free : .closed("it lies in none of the folders for mounts, and bears no mark of \(owner)")
    }
}
