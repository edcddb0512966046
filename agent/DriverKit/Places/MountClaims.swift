import Synchronization

/// Something of the node that somebody sees, by its path there.
package struct NodeBind: Sendable, Hashable {
    package var source: String
    package var isReadOnly: Bool

    package init(source: String, isReadOnly: Bool) { (self.source, self.isReadOnly) = (source, isReadOnly) }
}

/// A bind by everything that it may be reached by: its path, its path without links, and its place in its file system.
package struct PlacedBind: Sendable, Hashable {
    package let bind: NodeBind
    private let places: Set<String>

    package init(_ bind: NodeBind, _ table: MountTable) {
        self.bind = bind
        let real = NodePath.real(bind.source) ?? bind.source
        var places: Set<String> = [bind.source, real]
        if let spot = table.spot(of: real) { places.insert("\(spot.device)\(spot.path == "/" ? "" : spot.path)") }
        self.places = places
    }

    /// Whether who writes in the one could put a link in the place of the other, which would lead the engine anywhere when
    /// the container starts the next time.
    private func leads(_ other: PlacedBind) -> Bool {
        !bind.isReadOnly && other.places.contains { place in places.contains { place.lies(below: $0) } }
    }

    /// Of two binds of which one leads the other: the one above, and the one in it.
    package static func entangled(_ one: PlacedBind, _ other: PlacedBind) -> (above: NodeBind, below: NodeBind)? {
        if other.leads(one) { return (other.bind, one.bind) }
        return one.leads(other) ? (one.bind, other.bind) : nil
    }
}

/// What is just being mounted on the node, by whichever driver. An engine shows a container once it is made; until then its
/// mounts stand here, so that of two orders at once one sees the other. An order that hangs holds up only those that its own
/// mounts concern.
package final class MountClaims: Sendable {
    /// What containers of the node are to see, running or not.
    package typealias Binds = @Sendable () async throws(DriverError) -> [NodeBind]

    private let state = Mutex(State())

    private struct State {
        var next = 0
        var held: [Int: [PlacedBind]] = [:]
        var engines: [String: Binds] = [:]
    }

    package init() {}

    /// Runs `work` while these are claimed.
    /// - Throws: `busy` while another command is at work on what could lead one of them elsewhere.
    package func holding<Value>(
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

/// What stays mounted in containers, for drivers that mount beside an engine.
extension MountClaims {
    /// An engine tells what its containers are to see. One that asks again takes the place of its earlier word.
    package func listen(to engine: String, _ binds: @escaping Binds) {
        state.withLock { $0.engines[engine] = binds }
    }

    /// The container's bind with which these could not be mounted safely: it can write above one of them, or lies in one and
    /// would be led by what comes there.
    package func container(entangledWith places: [PlacedBind], _ table: MountTable) async throws(DriverError) -> (
        above: NodeBind, below: NodeBind
    )? {
        for binds in state.withLock({ Array($0.engines.values) }) {
            for bind in try await binds().map({ PlacedBind($0, table) }) {
                for place in places {
                    if let found = PlacedBind.entangled(place, bind) { return found }
                }
            }
        }
        return nil
    }
}
