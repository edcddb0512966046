import CLibSSL
import Glibc
import NIOConcurrencyHelpers

/// How a dialling side trusts the server, and the session it can resume there.
final class ClientRules: Sendable {
    /// A session as DER, so that connections on several threads share bytes and not a structure that changes.
    struct Session: Sendable {
        let der: [UInt8]
        /// End of the server certificate's validity, milliseconds since 1970: it is not sent again.
        let notAfter: Int64
    }

    let trust: TLSClientConfiguration.Trust
    let serverName: String?
    let protocols: [String]
    let session = NIOLockedValueBox<Session?>(nil)

    init(_ settings: TLSClientConfiguration) {
        trust = settings.trust
        serverName = settings.serverName
        protocols = settings.protocols
    }

    func install(in context: OpaquePointer) throws(TLSError) {
        try installTrust(in: context)
        if let serverName { try expect(serverName, in: context) }
        if !protocols.isEmpty {
            guard protocols.allSatisfy({ (1...255).contains($0.utf8.count) }) else {
                throw .configuration("a protocol name is not 1 to 255 bytes long")
            }
            let offer = protocols.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
            // This one function of the library returns 0 for success.
            guard SSL_CTX_set_alpn_protos(context, offer, UInt32(offer.count)) == 0 else { throw .fromLibrary() }
        }
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        innkeeper_context_client_sessions(context)
        SSL_CTX_sess_set_new_cb(context) { ssl, session in
            TLSEngine.of(ssl).keep(session)
            return 0
        }
    }

    /// Puts name and session into a new connection.
    func prepare(_ ssl: OpaquePointer) {
        if let serverName, SubjectName.address(of: serverName) == nil {
            _ = innkeeper_ssl_set_server_name(ssl, serverName)
        }
        guard let kept = session.withLockedValue({ $0 }), kept.notAfter > Int64(time(nil)) * 1000 else { return }
        kept.der.withUnsafeBufferPointer { bytes in
            var cursor = bytes.baseAddress
            guard let session = d2i_SSL_SESSION(nil, &cursor, bytes.count) else { return }
            SSL_set_session(ssl, session)
            SSL_SESSION_free(session)
        }
    }

    private func installTrust(in context: OpaquePointer) throws(TLSError) {
        switch trust {
        case .authorities(let authorities):
            guard !authorities.isEmpty else { throw .configuration("no authority to trust is given") }
            try TrustStore.add(authorities, to: context)
        case .pin(let pin):
            guard Crypto.bytes(hex: pin)?.count == 32 else {
                throw .configuration("the pin of the authority is not 64 hexadecimal digits")
            }
        }
    }

    private func expect(_ name: String, in context: OpaquePointer) throws(TLSError) {
        let parameters = SSL_CTX_get0_param(context)
        X509_VERIFY_PARAM_set_hostflags(
            parameters, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT))
        let isAddress = SubjectName.address(of: name) != nil
        let set =
            isAddress
            ? X509_VERIFY_PARAM_set1_ip_asc(parameters, name)
            : X509_VERIFY_PARAM_set1_host(parameters, name, 0)
        guard !name.isEmpty, set == 1 else { throw .configuration("“\(name)” is not a host name") }
    }
}
