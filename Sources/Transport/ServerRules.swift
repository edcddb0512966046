import CLibSSL
import Glibc

/// How a listening side chooses the protocol, asks for certificates and takes sessions back.
final class ServerRules: Sendable {
    let services: [TLSServerConfiguration.Service]
    let serviceWithoutALPN: String?
    let verifyPeer: @Sendable (Certificate) -> PeerVerdict
    private let authority: Certificate?

    init(_ settings: TLSServerConfiguration) {
        services = settings.services
        serviceWithoutALPN = settings.serviceWithoutALPN
        verifyPeer = settings.verifyPeer
        authority = settings.clientAuthority
    }

    func install(in context: OpaquePointer, _ settings: TLSServerConfiguration) throws(TLSError) {
        try check(settings)
        if let authority { try TrustStore.add([authority], to: context) }
        innkeeper_context_server_sessions(context, Int(settings.sessionLifetime.components.seconds))
        if var keys = settings.ticketKeys {
            guard keys.count == 80, innkeeper_context_ticket_keys(context, &keys, 80) == 1 else {
                throw .configuration("the ticket keys are \(keys.count) bytes and must be 80")
            }
        }
        // Connections keep the context, and with it these rules, alive.
        let me = Unmanaged.passUnretained(self).toOpaque()
        SSL_CTX_set_client_hello_cb(context, { ssl, alert, me in ServerRules.from(me).greet(ssl, alert) }, me)
        SSL_CTX_set_alpn_select_cb(
            context,
            { _, chosen, length, offered, count, me in
                ServerRules.from(me).select(
                    UnsafeBufferPointer(start: offered, count: Int(count)), chosen, length)
            }, me)
        SSL_CTX_set_session_ticket_cb(
            context, nil, { _, session, _, _, status, me in ServerRules.from(me).resume(session, status) }, me)
    }

    func service(named name: String?) -> TLSServerConfiguration.Service? {
        services.first { $0.name == (name ?? serviceWithoutALPN) }
    }

    private func check(_ settings: TLSServerConfiguration) throws(TLSError) {
        guard !services.isEmpty else { throw .configuration("no protocol is served") }
        guard services.allSatisfy({ (1...255).contains($0.name.utf8.count) }) else {
            throw .configuration("a protocol name is not 1 to 255 bytes long")
        }
        guard serviceWithoutALPN == nil || service(named: nil) != nil else {
            throw .configuration("the protocol for clients without ALPN is not served")
        }
        guard authority != nil || services.allSatisfy({ $0.clientCertificate == .none }) else {
            throw .configuration("client certificates are required but no authority for them is given")
        }
    }

    private static func from(_ pointer: UnsafeMutableRawPointer?) -> ServerRules {
        Unmanaged<ServerRules>.fromOpaque(pointer!).takeUnretainedValue()
    }

    /// Before anything of the handshake is decided: the protocol sets the rule for this connection.
    private func greet(_ ssl: OpaquePointer?, _ alert: UnsafeMutablePointer<Int32>?) -> Int32 {
        var start: UnsafePointer<UInt8>?
        var count = 0
        var offered: UnsafeBufferPointer<UInt8>?
        if SSL_client_hello_get0_ext(ssl, UInt32(TLSEXT_TYPE_application_layer_protocol_negotiation), &start, &count)
            == 1
        {
            // The list of names comes after its own length.
            offered = UnsafeBufferPointer(rebasing: UnsafeBufferPointer(start: start, count: count).dropFirst(2))
        }
        guard let service = offered.map({ choose(from: $0)?.service }) ?? service(named: nil) else {
            TLSEngine.of(ssl).refusal = .noCommonProtocol
            alert?.pointee = Int32(TLSAlert.noApplicationProtocol.code)
            return SSL_CLIENT_HELLO_ERROR
        }
        let required = service.clientCertificate == .required
        SSL_set_verify(ssl, required ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT : SSL_VERIFY_NONE, nil)
        let scope = sessionScope(of: service)
        return SSL_set_session_id_context(ssl, scope, UInt32(scope.count)) == 1
            ? SSL_CLIENT_HELLO_SUCCESS : SSL_CLIENT_HELLO_ERROR
    }

    /// A session is resumed only for the protocol and under the authority for which it was made;
    /// otherwise one without a certificate could open the door that asks for one.
    private func sessionScope(of service: TLSServerConfiguration.Service) -> [UInt8] {
        Crypto.sha256("\(service.clientCertificate) \(authority?.fingerprint ?? "-") \(service.name)".utf8)
    }

    private func select(
        _ offered: UnsafeBufferPointer<UInt8>, _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
        _ length: UnsafeMutablePointer<UInt8>?
    ) -> Int32 {
        guard let choice = choose(from: offered) else { return SSL_TLSEXT_ERR_ALERT_FATAL }
        chosen?.pointee = choice.name.baseAddress
        length?.pointee = UInt8(choice.name.count)
        return SSL_TLSEXT_ERR_OK
    }

    /// The served protocol that is preferred among the offered, with its name inside the offer.
    private func choose(
        from offered: UnsafeBufferPointer<UInt8>
    ) -> (service: TLSServerConfiguration.Service, name: UnsafeBufferPointer<UInt8>)? {
        var names: [UnsafeBufferPointer<UInt8>] = []
        var rest = offered[...]
        while let length = rest.popFirst() {
            guard length > 0, Int(length) <= rest.count else { return nil }
            names.append(UnsafeBufferPointer(rebasing: rest.prefix(Int(length))))
            rest = rest.dropFirst(Int(length))
        }
        for service in services {
            if let name = names.first(where: { $0.elementsEqual(service.name.utf8) }) { return (service, name) }
        }
        return nil
    }

    /// A ticket stands for the certificate in it, so that certificate must still be good.
    /// If not, the ticket is passed over: the full handshake then refuses the certificate with the right alert.
    private func resume(_ session: OpaquePointer?, _ status: Int32) -> Int32 {
        guard status == SSL_TICKET_SUCCESS || status == SSL_TICKET_SUCCESS_RENEW else {
            return SSL_TICKET_RETURN_IGNORE_RENEW
        }
        guard let peer = SSL_SESSION_get0_peer(session) else { return SSL_TICKET_RETURN_USE_RENEW }
        let isGood = (try? Certificate(peer)).map {
            $0.isValid(at: Int64(time(nil)) * 1000) && verifyPeer($0) == .accepted
        }
        return isGood == true ? SSL_TICKET_RETURN_USE_RENEW : SSL_TICKET_RETURN_IGNORE_RENEW
    }
}
