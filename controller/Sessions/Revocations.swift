import Model
import Synchronization
package import Transport

/// Who may not connect, asked in every handshake without touching the store.
package final class Revocations: Sendable {
    private struct State {
        var nodes: Set<String> = []
        /// Enrolled nodes: a certificate of another, which was removed or enrolled after a backup that is used again, is refused too.
        var known: Set<String> = []
    }

    private let state = Mutex(State())

    package init() {}

    package func enrolled(_ node: String) {
        state.withLock { state in
            state.known.insert(node)
            state.nodes.remove(node)
        }
    }

    package func revoke(node: String) { state.withLock { _ = $0.nodes.insert(node) } }

    package func removed(_ node: String) {
        state.withLock { state in
            state.known.remove(node)
            // An unknown node is refused as well.
            state.nodes.remove(node)
        }
    }

    package func isRevoked(_ node: String) -> Bool { state.withLock { $0.nodes.contains(node) } }

    /// The verdict on a certificate that our authority issued.
    package func verdict(on certificate: Certificate) -> PeerVerdict {
        guard let node = certificate.nodeID else { return .refused("the certificate names no node") }
        return state.withLock { state in
            if state.nodes.contains(node) { return .refused("node \(node) is revoked") }
            return state.known.contains(node) ? .accepted : .unknown("node \(node) is not enrolled")
        }
    }
}
