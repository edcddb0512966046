package import DaemonKit
import Model
import NIOConcurrencyHelpers
import NIOCore
package import Transport
import WireProtocol

/// The identity that the next connection uses, replaced while the agent runs when the certificate is renewed.
package final class Credentials: Sendable {
    private struct State {
        var identity: NodeIdentity
        /// Kept as long as the identity: it holds the session by which the next handshake is cheap.
        var context: TLSContext?
    }

    private let data: DataDirectory
    private let state: NIOLockedValueBox<State>
    package let place: HostPort

    package init(_ identity: NodeIdentity, in data: DataDirectory) throws(HostPortError) {
        self.data = data
        place = try HostPort(identity.controller)
        state = NIOLockedValueBox(State(identity: identity))
    }

    package var identity: NodeIdentity { state.withLockedValue { $0.identity } }

    package func context() throws -> TLSContext {
        try state.withLockedValue { state in
            if let context = state.context { return context }
            let identity = state.identity
            let settings = TLSClientConfiguration(
                trust: .authorities([identity.authority]), serverName: identity.serverName,
                identity: try TLSIdentity(chain: [identity.certificate], key: identity.key),
                protocols: [ProtocolVersion.alpn])
            let context = try TLSContext(client: settings)
            state.context = context
            return context
        }
    }

    /// Connects over TLS to the controller of the identity.
    var dial: Dial {
        { [self] loop, prepare in
            SecureClient.connect(host: place.host, port: place.port, on: loop, context: try context()) { channel in
                try prepare(channel)
            }
        }
    }

    /// Takes a renewed identity: on disk first, then for the next connection.
    package func replace(with identity: NodeIdentity) throws(IdentityError) {
        try identity.store(in: data)
        state.withLockedValue { $0 = State(identity: identity) }
    }
}

/// Where a controller listens: `HOST:PORT`, an IPv6 address in brackets.
package struct HostPort: Sendable, Hashable {
    package let host: String
    package let port: Int

    package init(_ text: String) throws(HostPortError) {
        let wrong = HostPortError(text: String(text.prefix(80)))
        guard let colon = text.lastIndex(of: ":") else { throw wrong }
        guard let port = Int(text[text.index(after: colon)...]), (1...65535).contains(port) else { throw wrong }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            throw wrong
        }
        guard !host.isEmpty, host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { throw wrong }
        (self.host, self.port) = (String(host), port)
    }
}

package struct HostPortError: Error, Sendable, Hashable, CustomStringConvertible {
    let text: String
    package var description: String { "“\(text)” is not HOST:PORT" }
}
