package import Logging
import Model
package import Store
package import Transport
import WireProtocol

/// Takes machines in: a join token for a node with a certificate.
///
/// The node's id is made from the public key of the request. So an agent whose answer got lost may ask again with the
/// same key and token, and becomes the same node without using the token up twice.
package final class EnrolmentService: Sendable {
    private let store: Store
    private let sessions: SessionManager
    private let authority: CertificateAuthority
    /// The name that the listener's certificate carries and agents check.
    private let controllerName: String
    private let denials: DenialLog
    private let logger: Logger

    package init(
        store: Store, sessions: SessionManager, authority: CertificateAuthority, controllerName: String, logger: Logger
    ) {
        self.store = store
        self.sessions = sessions
        self.authority = authority
        self.controllerName = controllerName
        self.logger = logger
        denials = DenialLog(store: store)
    }

    func enrol(_ request: EnrolmentRequest, remote: String) async -> Result<Enrolled, EnrolmentRefusal> {
        do {
            let csr = try CertificateSigningRequest(pem: request.csr)
            let node = try await register(request, Self.nodeID(of: csr), remote: remote)
            let certificate = try await sessions.issue(csr, to: node)
            sessions.revocations.enrolled(node)
            logger.notice(
                "node enrolled",
                metadata: [
                    "node": "\(node)", "host": "\(request.hostname)", "remote": "\(remote)",
                    "token": "\(request.token)",
                ])
            return .success(
                Enrolled(
                    node: node, certificate: certificate.pem, authority: authority.certificate.pem,
                    controllerName: controllerName))
        } catch let error as StoreError {
            if case .token(let reason) = error { await note(request, reason, remote) }
            return refuse(request, remote, "\(error)", retry: error.isRetryable)
        } catch {
            return refuse(request, remote, "\(error)", retry: false)
        }
    }

    /// A token that does not open is somebody who may not come in.
    private func note(_ request: EnrolmentRequest, _ reason: StoreError.TokenProblem, _ remote: String) async {
        await denials.note(
            AuditRecord(
                id: Identifier.make("aud"), time: Timestamp.now(), actor: "stranger", action: "node.enrol.denied",
                subject: "token",
                detail: [
                    "reason": .string(reason.rawValue), "token": .string(Self.shown(request.token)),
                    "host": .string(Self.shown(request.hostname)),
                ], remote: remote))
    }

    /// What an unauthenticated peer says of itself, as far as it is harmless.
    private static func shown(_ text: String) -> String {
        String(text.unicodeScalars.prefix(64).map { (0x21...0x7E).contains($0.value) ? Character($0) : "?" })
    }

    private func refuse(
        _ request: EnrolmentRequest, _ remote: String, _ message: String, retry: Bool
    ) -> Result<Enrolled, EnrolmentRefusal> {
        logger.warning(
            "enrolment refused",
            metadata: ["remote": "\(remote)", "token": "\(request.token.prefix(64))", "reason": "\(message)"])
        return .failure(EnrolmentRefusal(message: message, retry: retry))
    }

    /// Redeems the token and makes the node in one transaction; a node that the same key made before is taken as it is.
    private func register(
        _ request: EnrolmentRequest, _ id: String, remote: String
    ) async throws(StoreError) -> String {
        let now = Timestamp.now()
        let offered = JoinToken.hash(ofSecret: request.secret)
        let matches: @Sendable (String) -> Bool = { Crypto.constantTimeEqual(Array($0.utf8), Array(offered.utf8)) }
        return try await store.atomically { (store: isolated Store) throws(StoreError) in
            if let node = try store.node(id) {
                guard let token = try store.token(request.token), matches(token.secretHash) else {
                    throw StoreError.token(.unknown)
                }
                guard token.revokedAt == nil, node.revokedAt == nil else { throw StoreError.token(.revoked) }
                guard token.expiresAt > now else { throw StoreError.token(.expired) }
                // The same key is the same node: it is trusted as far as it was.
                try store.audit(Self.row("node.reenrol", node.name, id, token, now, remote))
                return id
            }
            let token = try store.redeemToken(request.token, at: now, matches: matches)
            let name = try Self.freeName(request.hostname, id, store)
            try store.insertNode(
                NodeRecord(
                    id: id, name: name, labels: token.labels, schedulable: token.approves, enrolledAt: now,
                    approvedAt: token.approves ? now : nil))
            try store.audit(Self.row("node.enrol", name, id, token, now, remote))
            return id
        }
    }

    private static func row(
        _ action: String, _ name: String, _ id: String, _ token: TokenRecord, _ now: Timestamp, _ remote: String
    ) -> AuditRecord {
        AuditRecord(
            id: Identifier.make("aud"), time: now, actor: "token:\(token.id)", action: action, subject: id,
            detail: [
                "name": .string(name), "labels": .labels(token.labels), "token_approves": .bool(token.approves),
            ], remote: remote)
    }

    /// The host name where it is free and a valid name, else one with a part of the id.
    private static func freeName(_ hostname: String, _ id: String, _ store: isolated Store) throws(StoreError) -> String
    {
        let short = String(hostname.lowercased().prefix { $0 != "." }.prefix(48))
        let wanted = (try? Grammar.nodeName.check(short)) != nil ? short : "node"
        return try store.node(named: wanted) == nil && wanted != "node" ? wanted : "\(wanted)-\(id.suffix(8))"
    }

    /// `node_` and 26 hexadecimal digits of the key's hash.
    static func nodeID(of request: CertificateSigningRequest) -> String { "node_\(request.publicKeyPin.prefix(26))" }
}
