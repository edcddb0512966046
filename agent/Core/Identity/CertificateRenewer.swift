import DaemonKit
import Logging
import Model
import NIOCore
import Transport
import WireProtocol

/// Has the node's certificate renewed over the link when it is due: with a new key, which replaces the old one together
/// with the certificate.
actor CertificateRenewer: LinkListener {
    private static let interval = TimeAmount.minutes(10)

    private let credentials: Credentials
    private let outlet: Outlet
    private let logger: Logger
    /// The key of the request that was sent; kept until it is answered, so that asking again is the same request.
    private var key: PrivateKey?
    private var timer: Scheduled<Void>?

    nonisolated var unownedExecutor: UnownedSerialExecutor { outlet.loop.executor.asUnownedSerialExecutor() }

    init(credentials: Credentials, outlet: Outlet, logger: Logger) {
        self.credentials = credentials
        self.outlet = outlet
        self.logger = logger
    }

    func sessionOpened(_ welcome: Welcome) { check() }
    func sessionClosed() { timer?.cancel() }
    func outletReady() {}

    func received(_ message: ControllerMessage) {
        if case .certificate(let grant) = message { take(grant) }
    }

    private func check() {
        timer?.cancel()
        timer = outlet.loop.scheduleTask(in: Self.interval) { [weak self] in self?.assumeIsolated { $0.check() } }
        let identity = credentials.identity
        guard identity.renewalDue <= .now() else { return }
        do {
            let key = try key ?? PrivateKey.generate()
            self.key = key
            let csr = try CertificateSigningRequest.make(key: key, commonName: String(identity.node.prefix(64)))
            outlet.send(.renew(CertificateRenewal(csr: csr)))
        } catch { logger.error("the certificate cannot be renewed", metadata: ["error": "\(error)"]) }
    }

    private func take(_ grant: CertificateGrant) {
        guard let key else { return logger.warning("a certificate came that was not asked for") }
        let old = credentials.identity
        let credentials = credentials
        // The disk is waited for off the event loop.
        Task.detached { [weak self, logger] in
            do {
                let identity = try NodeIdentity.granted(
                    certificate: grant.certificate, authority: grant.authority, key: key, node: old.node,
                    controller: old.controller, serverName: old.serverName, pin: old.authority.publicKeyPin)
                try credentials.replace(with: identity)
                logger.notice("the certificate is renewed", metadata: ["serial": "\(identity.certificate.serial)"])
                await self?.renewed()
            } catch { logger.error("the renewed certificate cannot be used", metadata: ["error": "\(error)"]) }
        }
    }

    private func renewed() { key = nil }
}
