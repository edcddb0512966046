import CLibSSL

extension TLSEngine {
    /// libssl's question whether the peer's chain is to be trusted; 1 or 0.
    static func verifyPeer(_ store: OpaquePointer?) -> Int32 {
        let ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx())
        let engine = TLSEngine.of(ssl.map { OpaquePointer($0) })
        return engine.accepts(store) ? 1 : 0
    }

    private func accepts(_ store: OpaquePointer?) -> Bool {
        switch role {
        case .client(let rules):
            if case .pin(let pin) = rules.trust { return verify(store, pin: pin) }
            return X509_verify_cert(store) == 1
        case .server(let rules):
            return X509_verify_cert(store) == 1 && ask(rules, about: X509_STORE_CTX_get0_cert(store), store)
        }
    }

    private func ask(_ rules: ServerRules, about leaf: OpaquePointer?, _ store: OpaquePointer?) -> Bool {
        guard let leaf, let certificate = try? Certificate(leaf) else {
            X509_STORE_CTX_set_error(store, X509_V_ERR_UNSPECIFIED)
            return false
        }
        switch rules.verifyPeer(certificate) {
        case .accepted: return true
        case .refused(let reason):
            refusal = .certificateRefused(reason)
            X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REVOKED)
        case .unknown(let reason):
            refusal = .certificateRefused(reason)
            // One of those for which libssl has no alert of their own.
            X509_STORE_CTX_set_error(store, X509_V_ERR_SUBTREE_MINMAX)
        }
        return false
    }

    /// The pinned authority, found by its key in what the server sent, is the only one trusted.
    private func verify(_ store: OpaquePointer?, pin: String) -> Bool {
        let chain = X509_STORE_CTX_get0_untrusted(store)
        let pinned = (0..<innkeeper_chain_count(chain)).lazy.map { innkeeper_chain_at(chain, $0) }.first {
            guard let certificate = $0.flatMap({ try? Certificate($0) }) else { return false }
            return certificate.isAuthority && certificate.publicKeyPin == pin.lowercased()
        }
        guard let pinned, let trusted = innkeeper_chain_new() else {
            refusal = .certificateRefused("the server's chain does not contain the pinned authority")
            X509_STORE_CTX_set_error(store, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN)
            return false
        }
        defer { innkeeper_chain_free(trusted) }
        guard innkeeper_chain_push(trusted, pinned) == 1 else { return false }
        X509_STORE_CTX_set0_trusted_stack(store, trusted)
        X509_STORE_CTX_set_flags(store, UInt(X509_V_FLAG_PARTIAL_CHAIN))
        return X509_verify_cert(store) == 1
    }
}
