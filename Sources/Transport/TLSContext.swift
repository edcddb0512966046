import CLibSSL
import NIOConcurrencyHelpers

/// Settings made ready for connections. Reload by making a new one: connections keep theirs.
/// Unchecked: the library's context is not changed after `init` and is made to be shared by threads.
package final class TLSContext: @unchecked Sendable {
    enum Role {
        case server(ServerRules)
        case client(ClientRules)
    }

    let pointer: OpaquePointer
    let role: Role
    let limits: TLSLimits

    package init(server settings: TLSServerConfiguration) throws(TLSError) {
        let rules = ServerRules(settings)
        pointer = try Self.make(TLS_server_method())
        role = .server(rules)
        limits = settings.limits
        try use(settings.identity)
        try rules.install(in: pointer, settings)
    }

    package init(client settings: TLSClientConfiguration) throws(TLSError) {
        let rules = ClientRules(settings)
        pointer = try Self.make(TLS_client_method())
        role = .client(rules)
        limits = settings.limits
        if let identity = settings.identity { try use(identity) }
        try rules.install(in: pointer)
    }

    deinit { SSL_CTX_free(pointer) }

    /// Whether a session is kept that the next connection will offer. Clients only.
    package var hasSession: Bool {
        if case .client(let rules) = role { rules.session.withLockedValue { $0 != nil } } else { false }
    }

    private static func make(_ method: OpaquePointer?) throws(TLSError) -> OpaquePointer {
        LibraryErrors.clear()
        guard let pointer = SSL_CTX_new(method) else { throw .fromLibrary() }
        guard innkeeper_context_prepare(pointer) == 1 else {
            SSL_CTX_free(pointer)
            throw .fromLibrary()
        }
        SSL_CTX_set_cert_verify_callback(pointer, { store, _ in TLSEngine.verifyPeer(store) }, nil)
        return pointer
    }

    private func use(_ identity: TLSIdentity) throws(TLSError) {
        let leaf = identity.chain[0].der
        guard SSL_CTX_use_certificate_ASN1(pointer, Int32(leaf.count), leaf) == 1,
            SSL_CTX_use_PrivateKey(pointer, identity.key.handle.pointer) == 1
        else { throw .fromLibrary() }
        for issuer in identity.chain.dropFirst() {
            let added = try? issuer.withPointer { innkeeper_context_add_chain(pointer, $0) == 1 }
            guard added == true else { throw .fromLibrary() }
        }
    }
}

extension TLSError {
    /// A failure to make a context or connection, with the library's reason.
    static func fromLibrary() -> TLSError {
        .configuration(LibraryErrors.drain() ?? "libssl gave no reason")
    }
}

/// Trust anchors of a context.
enum TrustStore {
    static func add(_ authorities: [Certificate], to context: OpaquePointer) throws(TLSError) {
        guard let store = SSL_CTX_get_cert_store(context) else { throw .fromLibrary() }
        for authority in authorities {
            let added = try? authority.withPointer { X509_STORE_add_cert(store, $0) == 1 }
            guard added == true else { throw .fromLibrary() }
        }
    }
}
