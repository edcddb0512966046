import APIModels
import NIOCore
import Synchronization

/// What those who have shown a key may hold at once.
package struct CallerLimits: Sendable, Hashable {
    package var connectionsPerCaller = 64
    /// Requests that are being worked on; event streams count apart.
    package var requestsPerCaller = 128
    /// Event streams of everybody together.
    package var streams = 512
    package var streamsPerCaller = 64
    /// Connections and event streams, out of all, that only administrators get.
    package var reserved = 64

    package init() {}
}

/// Counts what callers hold, so that one of them keeps neither the others nor the operator out.
///
/// As at the gate for strangers, a newcomer is let in where somebody can make room: a connection on which nothing is
/// going on is closed, of the caller who has his share, else of the caller who has most.
final class CallerPlaces: Sendable {
    private struct Seat {
        let caller: String
        let isReserved: Bool
        /// Requests and streams on it.
        var uses = 0
        var lastUse = 0
        let close: @Sendable () -> Void
    }

    private struct State {
        var seats: [ObjectIdentifier: Seat] = [:]
        var requests: [String: Int] = [:]
        var streams: [String: Int] = [:]
        /// Streams of callers for whom nothing is reserved.
        var commonStreams = 0
        var allStreams = 0
        var lastUse = 0
    }

    private let limits: CallerLimits
    private let connections: Int
    private let state = Mutex(State())

    /// - Parameter connections: of all callers together.
    init(_ limits: CallerLimits, connections: Int) {
        self.limits = limits
        self.connections = connections
    }

    /// A place for a request on its connection until it is released.
    func begin(_ caller: Caller, on connection: any Channel) throws(Problem) -> Place {
        let id = ObjectIdentifier(connection)
        let outcome = state.withLock { state -> Result<(evicted: Seat?, isNew: Bool), Problem> in
            guard state.requests[caller.key, default: 0] < limits.requestsPerCaller else {
                return .failure(Self.refusal(caller, "\(limits.requestsPerCaller) requests are being worked on"))
            }
            let outcome = seat(caller, id, connection, &state)
            if case .success = outcome {
                state.requests[caller.key, default: 0] += 1
                use(id, 1, &state)
            }
            return outcome
        }
        let (evicted, isNew) = try outcome.get()
        evicted?.close()
        if isNew { connection.closeFuture.whenComplete { [weak self] _ in self?.leave(id) } }
        return Place { [weak self] in
            self?.state.withLock { state in
                Self.take(1, from: &state.requests, caller.key)
                self?.use(id, -1, &state)
            }
        }
    }

    /// A place for an event stream until it is released.
    func openStream(_ caller: Caller, on connection: any Channel) throws(Problem) -> Place {
        let (id, isReserved) = (ObjectIdentifier(connection), caller.scopes.contains(.admin))
        let refusal = state.withLock { state -> Problem? in
            guard state.streams[caller.key, default: 0] < limits.streamsPerCaller else {
                return Self.refusal(caller, "\(limits.streamsPerCaller) event streams are open")
            }
            guard state.allStreams < limits.streams,
                isReserved || state.commonStreams < limits.streams - limits.reserved
            else { return Problem(.tooMany, "too many event streams are open; try again later") }
            state.streams[caller.key, default: 0] += 1
            state.allStreams += 1
            if !isReserved { state.commonStreams += 1 }
            use(id, 1, &state)
            return nil
        }
        if let refusal { throw refusal }
        return Place { [weak self] in
            self?.state.withLock { state in
                Self.take(1, from: &state.streams, caller.key)
                state.allStreams -= 1
                if !isReserved { state.commonStreams -= 1 }
                self?.use(id, -1, &state)
            }
        }
    }

    /// How many connections callers hold.
    var held: Int { state.withLock { $0.seats.count } }

    private func seat(
        _ caller: Caller, _ id: ObjectIdentifier, _ connection: any Channel, _ state: inout State
    ) -> Result<(evicted: Seat?, isNew: Bool), Problem> {
        let present = state.seats[id]
        if present?.caller == caller.key { return .success((nil, false)) }
        let isReserved = caller.scopes.contains(.admin)
        let own = state.seats.count { $0.key != id && $0.value.caller == caller.key }
        let common = state.seats.count { $0.key != id && !$0.value.isReserved }
        let all = state.seats.count - (present == nil ? 0 : 1)
        var evicted: Seat?
        if own >= limits.connectionsPerCaller {
            evicted = evict(from: &state, but: id) { $0.caller == caller.key }
            guard evicted != nil else {
                return .failure(Self.refusal(caller, "\(own) connections are in use"))
            }
        } else if isReserved ? all >= connections : common >= connections - limits.reserved {
            evicted = evict(from: &state, but: id) { isReserved || !$0.isReserved }
            guard evicted != nil else {
                return .failure(Problem(.tooMany, "too many connections are in use; try again later"))
            }
        }
        state.seats[id] = Seat(caller: caller.key, isReserved: isReserved, uses: present?.uses ?? 0) {
            connection.close(promise: nil)
        }
        return .success((evicted, present == nil))
    }

    /// Takes the place that was not used longest, of the caller who has most.
    private func evict(
        from state: inout State, but id: ObjectIdentifier, _ isEligible: (Seat) -> Bool
    ) -> Seat? {
        var counts: [String: Int] = [:]
        for seat in state.seats.values { counts[seat.caller, default: 0] += 1 }
        let idle = state.seats.filter { $0.key != id && $0.value.uses == 0 && isEligible($0.value) }
        let victim = idle.min {
            (-counts[$0.value.caller, default: 0], $0.value.lastUse)
                < (-counts[$1.value.caller, default: 0], $1.value.lastUse)
        }
        return victim.flatMap { state.seats.removeValue(forKey: $0.key) }
    }

    private func use(_ id: ObjectIdentifier, _ change: Int, _ state: inout State) {
        state.lastUse += 1
        state.seats[id]?.uses += change
        state.seats[id]?.lastUse = state.lastUse
    }

    private func leave(_ id: ObjectIdentifier) {
        state.withLock { _ = $0.seats.removeValue(forKey: id) }
    }

    private static func take(_ count: Int, from counts: inout [String: Int], _ key: String) {
        counts[key, default: 0] -= count
        if counts[key] == 0 { counts[key] = nil }
    }

    private static func refusal(_ caller: Caller, _ what: String) -> Problem {
        Problem(.hammering, "\(what) for the key \(caller.key) (\(caller.name)), which is the most that one key gets")
    }

    /// One place; it is given back once, at the latest when nobody holds it.
    final class Place: Sendable {
        private let end: Mutex<(@Sendable () -> Void)?>

        init(_ end: @escaping @Sendable () -> Void) { self.end = Mutex(end) }

        func release() {
            let end = end.withLock { end in
                defer { end = nil }
                return end
            }
            end?()
        }

        deinit { release() }
    }
}

extension Channel {
    /// The connection to the peer: of a stream of HTTP/2 the one that carries it, else this.
    var connection: any Channel {
        guard let parent, parent.parent != nil else { return self }
        return parent
    }
}
