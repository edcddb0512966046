import CLibSSL
import Glibc
import NIOConcurrencyHelpers
import NIOCore

/// One connection of libssl between two buffers. Knows bytes and errors, nothing of channels.
final class TLSEngine {
    enum Step {
        case done
        case wantsInput
        /// The peer sent close_notify.
        case ended
        case failed(TLSError)
    }

    let buffers: CiphertextBuffers
    /// Why our own check refused the peer; more precise than the library's reason.
    var refusal: TLSError?
    private let ssl: OpaquePointer
    private let context: TLSContext
    var role: TLSContext.Role { context.role }
    private var recordsWritten = 0

    init(context: TLSContext, allocator: ByteBufferAllocator) throws(TLSError) {
        LibraryErrors.clear()
        self.context = context
        buffers = CiphertextBuffers(allocator: allocator)
        guard let ssl = SSL_new(context.pointer) else { throw .fromLibrary() }
        self.ssl = ssl
        guard let bio = CiphertextBIO.make(buffers) else { throw .fromLibrary() }
        SSL_set_bio(ssl, bio, bio)
        SSL_set_ex_data(ssl, 0, Unmanaged.passUnretained(self).toOpaque())
        switch context.role {
        case .server: SSL_set_accept_state(ssl)
        case .client(let rules):
            SSL_set_connect_state(ssl)
            rules.prepare(ssl)
        }
    }

    deinit { SSL_free(ssl) }

    func handshake() -> Step {
        LibraryErrors.clear()
        let result = SSL_do_handshake(ssl)
        return result == 1 ? checkService() : step(after: result)
    }

    /// Reads until the buffer is full (`done`) or nothing more can be read now.
    func read(into plaintext: inout ByteBuffer) -> Step {
        while plaintext.writableBytes > 0 {
            LibraryErrors.clear()
            var (result, count) = (Int32(0), 0)
            plaintext.writeWithUnsafeMutableBytes(minimumWritableBytes: 0) { target in
                result = SSL_read_ex(ssl, target.baseAddress, target.count, &count)
                return count
            }
            if result != 1 { return step(after: result) }
        }
        return .done
    }

    /// Encrypts all of it; nil when that went well.
    /// - Parameter emit: takes ciphertext whenever enough has come together, so that one huge write
    ///   does not double itself in a single growing buffer. The rest stays in `buffers.outbound`.
    func write(_ plaintext: ByteBuffer, emit: (ByteBuffer) -> Void) -> TLSError? {
        plaintext.withUnsafeReadableBytes { source in
            var written = 0
            while written < source.count {
                LibraryErrors.clear()
                renewKeyIfWorn()
                buffers.expect(source.count - written)
                var count = 0
                let result = SSL_write_ex(ssl, source.baseAddress! + written, source.count - written, &count)
                guard result == 1 else { return failure(after: result) }
                written += count
                recordsWritten += 1
                if buffers.outbound.readableBytes >= CiphertextBuffers.chunkBytes, let chunk = buffers.takeOutbound() {
                    emit(chunk)
                }
            }
            return nil
        }
    }

    /// Sends close_notify; reading can go on.
    func shutdown() {
        LibraryErrors.clear()
        SSL_shutdown(ssl)
        LibraryErrors.clear()
    }

    /// What both sides agreed on; call it after the handshake.
    func outcome() throws(TLSError) -> TLSHandshakeCompleted {
        var peer: Certificate?
        if let pointer = SSL_get1_peer_certificate(ssl) {
            defer { X509_free(pointer) }
            do { peer = try Certificate(pointer) } catch { throw .certificateRefused("\(error)") }
        }
        return TLSHandshakeCompleted(
            service: serviceName ?? "", peer: peer, resumed: SSL_session_reused(ssl) == 1)
    }

    /// Forgets the session that a client offered in vain.
    func forgetSession() {
        if case .client(let rules) = context.role { rules.session.withLockedValue { $0 = nil } }
    }

    func keep(_ session: OpaquePointer?) {
        guard case .client(let rules) = context.role, let session, let peer = SSL_SESSION_get0_peer(session),
            let der = try? X509Fields.bytes(of: session, { i2d_SSL_SESSION($0, $1) }),
            let notAfter = try? X509Fields.milliseconds(X509_get0_notAfter(peer))
        else { return }
        rules.session.withLockedValue { $0 = .init(der: der, notAfter: notAfter) }
    }

    static func of(_ ssl: OpaquePointer?) -> TLSEngine {
        Unmanaged<TLSEngine>.fromOpaque(SSL_get_ex_data(ssl, 0)).takeUnretainedValue()
    }

    private var chosenProtocol: String? {
        var name: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        SSL_get0_alpn_selected(ssl, &name, &count)
        return count == 0 ? nil : String(decoding: UnsafeBufferPointer(start: name, count: Int(count)), as: UTF8.self)
    }

    private var serviceName: String? {
        if case .server(let rules) = context.role { rules.service(named: chosenProtocol)?.name } else { chosenProtocol }
    }

    /// The rules once more, on what the handshake ended with; a client also learns here that the server chose nothing.
    private func checkService() -> Step {
        switch context.role {
        case .client(let rules):
            let agreed = rules.protocols.isEmpty || chosenProtocol.map(rules.protocols.contains) == true
            return agreed ? .done : .failed(.noCommonProtocol)
        case .server(let rules):
            guard let service = rules.service(named: chosenProtocol) else { return .failed(.noCommonProtocol) }
            let proved = service.clientCertificate == .none || SSL_get0_peer_certificate(ssl) != nil
            return proved ? .done : .failed(.certificateRefused("there is none"))
        }
    }

    /// AES-GCM keys may protect about 2^24 records; new ones are taken long before.
    private func renewKeyIfWorn() {
        guard recordsWritten >= 1 << 22 else { return }
        recordsWritten = 0
        SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED)
    }

    private func step(after result: Int32) -> Step {
        switch SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ: .wantsInput
        case SSL_ERROR_ZERO_RETURN: .ended
        default: .failed(failure(after: result))
        }
    }

    private func failure(after result: Int32) -> TLSError {
        let error = ERR_get_error()
        LibraryErrors.clear()
        if let refusal { return refusal }
        if ERR_GET_REASON(error) == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE {
            return .certificateRefused("the client sent none")
        }
        let alert = innkeeper_error_alert(error)
        if alert >= 0 { return .refusedByPeer(TLSAlert(code: UInt8(alert))) }
        let verification = SSL_get_verify_result(ssl)
        if verification != Int(X509_V_OK) {
            return .certificateRefused(String(cString: X509_verify_cert_error_string(verification)))
        }
        return .protocolFailure(error == 0 ? "libssl gave no reason" : LibraryErrors.text(of: error))
    }
}
