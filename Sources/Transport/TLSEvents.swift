/// Fired inbound when the handshake is done, before any data.
package struct TLSHandshakeCompleted: Sendable, Equatable {
    /// The ALPN name that both agreed on (or the server's `serviceWithoutALPN`); empty when a client offered none.
    package let service: String
    /// The peer's own certificate, also after a resumption.
    package let peer: Certificate?
    package let resumed: Bool
}

/// Trigger this outbound when a peer without a client certificate has proved who it is (a join token, say):
/// it then no longer counts at the gate and is no longer under the time limit.
package struct PeerProved: Sendable {
    package init() {}
}
