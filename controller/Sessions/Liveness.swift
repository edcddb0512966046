package import Model

/// When a node counts as unreachable: after `silence` without a byte from it, at any fleet size.
///
/// Pure: the caller passes the time. A node that was connected when the controller stopped gets `startGrace` to come
/// back before it is called down, since its reconnect may be spread over the back-off's longest wait.
package struct Liveness: Sendable {
    package static let silence: Duration = .seconds(15)
    package static let startGrace: Duration = .seconds(75)

    private var deadlines: [String: Timestamp] = [:]
    private let silence: Duration

    /// - Parameters:
    ///   - expected: the nodes that were connected when the controller stopped.
    ///   - now: the time of the start.
    package init(
        expected: [String], now: Timestamp, silence: Duration = Self.silence, startGrace: Duration = Self.startGrace
    ) {
        self.silence = silence
        for node in expected { deadlines[node] = now + startGrace }
    }

    /// Notes a sign of life. True when the node was not counted as reachable before.
    package mutating func heard(_ node: String, at now: Timestamp) -> Bool {
        let known = deadlines.updateValue(now + silence, forKey: node) != nil
        return !known
    }

    package func isReachable(_ node: String) -> Bool { deadlines[node] != nil }

    /// Forgets a node at once (it said goodbye, was revoked or removed). True when it counted as reachable.
    package mutating func forget(_ node: String) -> Bool {
        deadlines.removeValue(forKey: node) != nil
    }

    /// The nodes that fell silent by `now`, each reported once, in a stable order.
    package mutating func expired(at now: Timestamp) -> [String] {
        let silent = deadlines.filter { $0.value <= now }.map(\.key).sorted()
        for node in silent { deadlines[node] = nil }
        return silent
    }
}
