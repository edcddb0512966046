/// A certificate, the chain to send with it, and its key.
package struct TLSIdentity: Sendable {
    /// The own certificate first, then its issuers. A server whose clients pin the authority sends it here too.
    package let chain: [Certificate]
    package let key: PrivateKey

    package init(chain: [Certificate], key: PrivateKey) throws(TLSError) {
        guard let leaf = chain.first else { throw .configuration("no certificate is given") }
        guard key.matches(leaf) else { throw .configuration("the key is not that of \(leaf)") }
        self.chain = chain
        self.key = key
    }
}

/// What the owner of a list of revoked certificates says about one that is otherwise valid.
package enum PeerVerdict: Sendable, Equatable {
    case accepted
    /// The peer is told `certificate_revoked`; the reason stays here, in the error.
    case refused(String)
    /// Nobody revoked it, and it is of no use here any more: the peer is told `certificate_unknown`.
    case unknown(String)
}

/// The settings of a listening side. TLS 1.3 only.
package struct TLSServerConfiguration: Sendable {
    package enum ClientCertificate: Sendable, Equatable {
        /// Asked for, and must be issued by `clientAuthority` for client authentication.
        case required
        /// Not asked for.
        case none
    }

    /// An application protocol (ALPN name) and its rule.
    package struct Service: Sendable, Equatable {
        package let name: String
        package let clientCertificate: ClientCertificate

        package init(_ name: String, clientCertificate: ClientCertificate) {
            self.name = name
            self.clientCertificate = clientCertificate
        }
    }

    package var identity: TLSIdentity
    /// In order of preference.
    package var services: [Service]
    /// Spoken with clients that send no ALPN at all; nil refuses them.
    package var serviceWithoutALPN: String?
    package var clientAuthority: Certificate?
    /// Asked in every handshake with a client certificate, resumed ones included, on the event loop: it must not block.
    package var verifyPeer: @Sendable (Certificate) -> PeerVerdict
    /// 80 secret bytes that let sessions outlive this context; nil draws new ones.
    /// Who has them can resume as any client: guard them like the authority's key.
    package var ticketKeys: [UInt8]?
    /// How long a session can be resumed.
    package var sessionLifetime: Duration
    package var limits: TLSLimits

    package init(
        identity: TLSIdentity, services: [Service], serviceWithoutALPN: String? = nil,
        clientAuthority: Certificate? = nil, ticketKeys: [UInt8]? = nil, sessionLifetime: Duration = .seconds(86_400),
        limits: TLSLimits = TLSLimits(),
        verifyPeer: @escaping @Sendable (Certificate) -> PeerVerdict = { _ in .accepted }
    ) {
        self.identity = identity
        self.services = services
        self.serviceWithoutALPN = serviceWithoutALPN
        self.clientAuthority = clientAuthority
        self.ticketKeys = ticketKeys
        self.sessionLifetime = sessionLifetime
        self.limits = limits
        self.verifyPeer = verifyPeer
    }
}

/// The settings of a dialling side. One context serves one server: it keeps that server's session.
package struct TLSClientConfiguration: Sendable {
    package enum Trust: Sendable {
        case authorities([Certificate])
        /// SHA-256 of an authority's public key info, hexadecimal: the chain must contain that authority.
        case pin(String)
    }

    package var trust: Trust
    /// DNS name or IP address that the server's certificate must carry; nil only when the pin alone is to count.
    package var serverName: String?
    package var identity: TLSIdentity?
    /// Offered ALPN names; the server must choose one of them. Empty offers none.
    package var protocols: [String]
    package var limits: TLSLimits

    package init(
        trust: Trust, serverName: String?, identity: TLSIdentity? = nil, protocols: [String],
        limits: TLSLimits = TLSLimits()
    ) {
        self.trust = trust
        self.serverName = serverName
        self.identity = identity
        self.protocols = protocols
        self.limits = limits
    }
}

/// Bounds on time and memory of one connection.
package struct TLSLimits: Sendable, Equatable {
    /// From the start of the connection to the end of the handshake.
    package var handshake: Duration = .seconds(10)
    /// From the end of the handshake until `PeerProved`, for connections under a gate without a client certificate.
    package var proof: Duration = .seconds(30)
    /// How long an orderly close waits for the peer to take our last bytes and end its side.
    package var close: Duration = .seconds(5)
    /// How long the application may stay silent after the peer ended its side, before the channel closes.
    package var halfClosed: Duration = .seconds(60)
    /// Bytes that may be written before the end of the handshake.
    package var earlyWriteBytes = 1 << 20

    package init() {}
}
