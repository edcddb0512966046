import DriverKit
import Synchronization
import WireProtocol

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
}

/// A bind by everything that it may be reached by: its path, its path without links, and its place in its file system.
struct PlacedBind: Sendable, Hashable {
    let bind: NodeBind
    private let places: Set<String>

    init(_ bind: NodeBind, _ table: MountTable) {
        self.bind = bind
        let real = NodePath.real(bind.source) ?? bind.source
        var places: Set<String> = [bind.source, real]
        if let spot = table.spot(of: real) { places.insert("\(spot.device)\(spot.path == "/" ? "" : spot.path)") }
        self.places = places
    }

    /// Whether who writes in the one could put a link in the place of the other, which would lead the engine anywhere when
    /// the container starts the next time.
    func leads(_ other: PlacedBind) -> Bool {
        !bind.isReadOnly && other.places.contains { place in places.contains { place.lies(below: $0) } }
    }

    /// Of two binds of which one leads the other: the one above, and the one in it.
    static func entangled(_ one: PlacedBind, _ other: PlacedBind) -> (above: NodeBind, below: NodeBind)? {
        if other.leads(one) { return (other.bind, one.bind) }
        return one.leads(other) ? (one.bind, other.bind) : nil
    }
}

/// What is just being given to containers. The engine shows a container once it is made; until then its mounts stand here,
/// so that of two orders at once one sees the other. An order that hangs holds up only those that its own mounts concern.
final class MountClaims: Sendable {
    private let state = Mutex(State())

    private struct State {
        var next = 0
        var held: [Int: [PlacedBind]] = [:]
    }

    /// Runs `work` while these are claimed.
    /// - Throws: `busy` while another command is at work on what could lead one of them elsewhere.
    func holding<Value>(
        _ binds: [PlacedBind], _ work: () async throws(DriverError) -> Value
    ) async throws(DriverError) -> Value {
        guard !binds.isEmpty else { return try await work() }
        let claim = try state.withLock { state throws(DriverError) -> Int in
            for bind in binds {
                for other in state.held.values.joined() {
                    guard let (above, below) = PlacedBind.entangled(bind, other) else { continue }
                    throw DriverError(
                        .busy, "\(below.source) and \(above.source) are being mounted at once", retryable: true,
                        cause: "one lies in the other; ask again when the other command has ended")
                }
            }
            state.next += 1
            state.held[state.next] = binds
            return state.next
        }
        defer { state.withLock { $0.held[claim] = nil } }
        return try await work()
    }
}
