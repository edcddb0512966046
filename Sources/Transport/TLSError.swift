/// Why a TLS connection failed. Delivered through `errorCaught` before the channel closes,
/// and by the handshake promise.
package enum TLSError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The peer broke the protocol, or nothing in common was found; the library's reason.
    case protocolFailure(String)
    /// The peer's certificate was refused here.
    case certificateRefused(String)
    /// The peer refused us by a fatal alert: `certificateRevoked`, `unknownAuthority`, …
    case refusedByPeer(TLSAlert)
    /// No name in common with what the peer speaks (ALPN).
    case noCommonProtocol
    /// The handshake, or the proof of identity after it, took too long.
    case timedOut
    /// The peer's end of stream came without close_notify: what was received may be cut short.
    case truncated
    case closedDuringHandshake
    /// The place was needed for a later connection: too many have not proved who they are, in all or from this address.
    case crowded
    /// More was written before the end of the handshake than the limit allows.
    case earlyWriteLimit(Int)
    /// A context could not be made from its settings.
    case configuration(String)

    package var description: String {
        switch self {
        case .protocolFailure(let reason): "TLS failed: \(reason)"
        case .certificateRefused(let reason): "the peer's certificate was refused: \(reason)"
        case .refusedByPeer(let alert): "the peer refused the connection: \(alert)"
        case .noCommonProtocol: "the peer speaks no protocol that is known here (ALPN)"
        case .timedOut: "the peer did not prove who it is in time"
        case .truncated: "the connection broke off without an orderly end"
        case .closedDuringHandshake: "the peer closed the connection during the TLS handshake"
        case .crowded: "too many connections that have not proved who they are"
        case .earlyWriteLimit(let bytes): "more than \(bytes) bytes were written before the end of the TLS handshake"
        case .configuration(let reason): "the TLS settings are wrong: \(reason)"
        }
    }
}

/// A fatal alert of the peer, by its number in RFC 8446 §6.2.
package struct TLSAlert: Sendable, Hashable, CustomStringConvertible {
    package let code: UInt8

    package init(code: UInt8) { self.code = code }

    package static let badCertificate = TLSAlert(code: 42)
    package static let certificateRevoked = TLSAlert(code: 44)
    package static let certificateExpired = TLSAlert(code: 45)
    package static let certificateUnknown = TLSAlert(code: 46)
    package static let unknownAuthority = TLSAlert(code: 48)
    package static let accessDenied = TLSAlert(code: 49)
    package static let protocolVersion = TLSAlert(code: 70)
    package static let certificateRequired = TLSAlert(code: 116)
    package static let noApplicationProtocol = TLSAlert(code: 120)

    package var description: String {
        switch self {
        case .badCertificate: "the certificate is bad (alert 42)"
        case .certificateRevoked: "the certificate is revoked (alert 44)"
        case .certificateExpired: "the certificate has expired or is not yet valid (alert 45)"
        case .certificateUnknown: "the peer does not know the holder of the certificate (alert 46)"
        case .unknownAuthority: "the certificate is from an unknown authority (alert 48)"
        case .accessDenied: "access is denied (alert 49)"
        case .protocolVersion: "the TLS version is not accepted (alert 70)"
        case .certificateRequired: "a client certificate is required (alert 116)"
        case .noApplicationProtocol: "no application protocol in common (alert 120)"
        default: "alert \(code)"
        }
    }
}
