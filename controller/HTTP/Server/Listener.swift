package import Transport

/// An address on which lists of endpoints are served.
package struct Listener: Sendable {
    package enum Security: Sendable {
        /// Asked at each connection for a server context that speaks `protocolNames` without a client certificate.
        case tls(@Sendable () -> TLSContext)
        /// HTTP as it is; on the loopback only.
        case plain
    }

    /// What the TLS context must speak (ALPN), in order of preference; without ALPN it is the last.
    package static let protocolNames = [HTTP2Channel.protocolName, "http/1.1"]

    let host: String
    let port: Int
    let security: Security
    let lists: [EndpointList]

    /// - Parameters:
    ///   - host: an address or a name of this machine.
    ///   - port: 0 takes any free one.
    /// - Throws: that keys and passwords would go over a network for everybody to read.
    package init(host: String, port: Int, security: Security, lists: [EndpointList]) throws(ListenerError) {
        if case .plain = security, !Self.isLoopback(host) { throw ListenerError(host: host) }
        self.host = host
        self.port = port
        self.security = security
        self.lists = lists
    }

    /// Whether nobody but this machine can reach it: an address of the loopback. A name may lead anywhere.
    package static func isLoopback(_ host: String) -> Bool {
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return host == "::1" || (parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil })
    }
}

/// A listener without TLS that others than this machine could reach.
package struct ListenerError: Error, Sendable, Hashable, CustomStringConvertible {
    package let host: String

    /// What would have been right.
    package static let expectation = "an address of the loopback (127.0.0.1, [::1]): without TLS others could read it"

    package var description: String {
        "\(host) is not an address of the loopback (127.0.0.1, ::1): HTTP without TLS is offered nowhere else"
    }
}
