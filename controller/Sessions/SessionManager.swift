package import Logging
import Model
package import Store
import Synchronization
package import Transport
package import WireProtocol

/// What sessions share: who is let in, with which settings, and what the store is told of nodes.
package final class SessionManager: Sendable {
    enum Answer: Sendable {
        case welcome(Welcome)
        case refuse(Goodbye)
    }

    package struct Configuration: Sendable {
        package var settings = Settings()
        package var silence: Duration = Liveness.silence
        package var startGrace: Duration = Liveness.startGrace
        /// Of node certificates; agents renew at two thirds.
        package var certificateValidity: Duration = .seconds(30 * 86_400)

        package init() {}
    }

    package let fleet: Fleet
    package let revocations: Revocations
    let results: ResultHandler
    let logger: Logger
    let configuration: Configuration
    private let store: Store
    private let authority: CertificateAuthority
    private let liveness: Mutex<Liveness>
    /// When a duplicate was last reported for a node, so that a stubborn clone raises one alert, not thousands.
    private let alerts = Mutex<[String: ContinuousClock.Instant]>([:])
    /// When a node last asked for a certificate.
    private let renewals = Mutex<[String: ContinuousClock.Instant]>([:])
    /// A node that asks again sooner is not heard: its first question is being answered.
    private static let renewalPause: Duration = .seconds(10)

    /// - Parameter expected: the nodes that were connected when the controller last stopped.
    package init(
        configuration: Configuration = Configuration(), store: Store, fleet: Fleet, revocations: Revocations,
        authority: CertificateAuthority, expected: [String], logger: Logger
    ) {
        self.configuration = configuration
        self.store = store
        self.fleet = fleet
        self.revocations = revocations
        self.authority = authority
        self.logger = logger
        results = ResultHandler(store: store, fleet: fleet, logger: logger)
        liveness = Mutex(
            Liveness(
                expected: expected, now: Timestamp(milliseconds: 0), silence: configuration.silence,
                startGrace: configuration.startGrace))
    }

    var silence: Duration { configuration.silence }

    /// - Parameter journal: what the agent's numbers count in.
    func ingest(for session: AgentSession, journal: String) -> Ingest {
        Ingest(session: session, journal: journal, store: store, logger: logger)
    }

    // MARK: The life of a session

    /// Judges a hello. On `welcome` the candidate is the node's session in the fleet and the store knows it.
    func judge(_ hello: Hello, _ candidate: AgentSession) async -> Answer {
        let node = candidate.node
        guard !revocations.isRevoked(node) else {
            return .refuse(Goodbye(code: .revoked, message: "node \(node) is revoked", retry: false))
        }
        switch fleet.admit(candidate) {
        case .duplicate(let old):
            await report(duplicateOf: old, candidate)
            return .refuse(
                Goodbye(code: .duplicate, message: "node \(node) is connected from \(old.identity.remote)", retry: true)
            )
        case .admitted(let replaced):
            replaced?.close(.duplicate, "the same agent has connected again", retry: true)
        }
        // Before the hello is on record: from then on its silence is counted.
        liveness.withLock { _ = $0.heard(node, at: steadyNow()) }
        do {
            let now = Timestamp.now()
            // Before the hello, which says that the node was seen now.
            let stored = try await store.openJournal(
                node: node, epoch: hello.spool.epoch, held: hello.spool.held, at: now)
            for doubt in try await store.admit(hello.record, at: now) {
                logger.warning(
                    "a node's figure is not believed", metadata: ["node": "\(node)", "figure": "\(doubt)"])
            }
            return .welcome(
                Welcome(
                    protocol: Int64(ProtocolVersion.current), session: candidate.identity.session,
                    settings: configuration.settings, time: now.milliseconds,
                    ack: WireProtocol.Positions(metrics: stored.metrics, usage: stored.usage, events: stored.events)))
        } catch {
            fleet.closed(candidate)
            logger.error("hello could not be recorded", metadata: ["node": "\(node)", "error": "\(error)"])
            return .refuse(
                Goodbye(code: .overload, message: "the controller's store cannot take the session now", retry: true))
        }
    }

    /// The welcome is on its way: outstanding commands follow.
    func opened(_ session: AgentSession) {
        logger.info("node connected", metadata: ["node": "\(session.node)", "remote": "\(session.identity.remote)"])
        fleet.resume(session)
    }

    /// The link is gone; the node stays `connected` in the store until the silence is long enough.
    func closed(_ session: AgentSession) {
        guard fleet.closed(session) else { return }
        logger.info("link to node lost", metadata: ["node": "\(session.node)"])
    }

    /// The agent said goodbye: there is nothing to wait for.
    func departed(_ session: AgentSession) {
        guard fleet.closed(session), liveness.withLock({ $0.forget(session.node) }) else { return }
        Task { await recordState(of: [session.node]) }
    }

    /// Cuts a revoked node at once and refuses it from now on.
    package func revoke(_ node: String) {
        revocations.revoke(node: node)
        _ = liveness.withLock { $0.forget(node) }
        fleet.disconnect(node, code: .revoked, message: "node \(node) is revoked")
        Task { await recordState(of: [node]) }
    }

    /// About once a second: signs of life, silent nodes, commands out of patience.
    /// - Parameter recording: whether to write down when each node was last heard, which costs a commit.
    func tick(recording: Bool) async {
        fleet.tick()
        let now = Timestamp.now()
        let clock = ContinuousClock.now
        let steady = steadyNow()
        var seen: [String: Timestamp] = [:]
        var silences: [String: Duration] = [:]
        for session in fleet.liveSessions {
            silences[session.node] = clock - session.lastHeard
            seen[session.node] = now - (clock - session.lastHeard)
        }
        let (silent, returned) = liveness.withLock { liveness in
            var returned: [String] = []
            for (node, silence) in silences where silence < configuration.silence {
                if liveness.heard(node, at: steady - silence) { returned.append(node) }
            }
            return (liveness.expired(at: steady), returned)
        }
        await recordState(of: silent + returned)
        if recording, !seen.isEmpty { try? await store.recordSeen(seen) }
    }

    /// For lengths of silence: it goes on evenly when the wall clock is set.
    private func steadyNow() -> Timestamp { Timestamp(milliseconds: 0) + (ContinuousClock.now - started) }
    private let started = ContinuousClock.now

    /// Writes down whether nodes are reachable: as it is by then, since they may have come back or gone meanwhile.
    func recordState(of nodes: [String]) async {
        for node in nodes {
            if !isReachable(node) { logger.warning("node unreachable", metadata: ["node": "\(node)"]) }
            do {
                try await store.setNodeState(node) { self.isReachable(node) ? .connected : .unreachable }
            } catch {
                logger.error("node state could not be stored", metadata: ["node": "\(node)", "error": "\(error)"])
            }
        }
    }

    private func isReachable(_ node: String) -> Bool { liveness.withLock { $0.isReachable(node) } }

    private func report(duplicateOf old: AgentSession, _ candidate: AgentSession) async {
        let now = Timestamp.now()
        let fresh = alerts.withLock { alerts in
            let clock = ContinuousClock.now
            if let last = alerts[old.node], clock - last < .seconds(60) { return false }
            alerts[old.node] = clock
            return true
        }
        guard fresh else { return }
        logger.error(
            "a second machine uses the certificate of a connected node",
            metadata: [
                "node": "\(old.node)", "connected": "\(old.identity.remote)", "second": "\(candidate.identity.remote)",
            ])
        let alert = AuditRecord(
            id: Identifier.make("aud"), time: now, actor: "controller", action: "node.duplicate", subject: old.node,
            detail: ["connected": .string(old.identity.remote), "second": .string(candidate.identity.remote)],
            remote: candidate.identity.remote)
        do { try await store.audit(alert) } catch {
            logger.error("the alert could not be recorded", metadata: ["node": "\(old.node)", "error": "\(error)"])
        }
    }

    // MARK: Renewal

    /// Issues the next certificate of a node over its own session.
    func renew(_ renewal: CertificateRenewal, _ session: AgentSession) {
        let isDue = renewals.withLock { renewals in
            let now = ContinuousClock.now
            if let last = renewals[session.node], now - last < Self.renewalPause { return false }
            renewals[session.node] = now
            return true
        }
        guard isDue else { return }
        Task {
            do {
                let request = try CertificateSigningRequest(pem: renewal.csr)
                let certificate = try await issue(request, to: session.node)
                session.send(
                    .certificate(CertificateGrant(certificate: certificate.pem, authority: authority.certificate.pem)))
                logger.info(
                    "certificate renewed", metadata: ["node": "\(session.node)", "serial": "\(certificate.serial)"])
            } catch {
                logger.error("certificate not renewed", metadata: ["node": "\(session.node)", "error": "\(error)"])
            }
        }
    }

    /// Issues and records, in this order of durability: the record first, so that no unknown certificate is out there.
    func issue(_ request: CertificateSigningRequest, to node: String) async throws -> Certificate {
        let now = Timestamp.now()
        let certificate = try authority.issueNode(
            csr: request, nodeID: node, validity: configuration.certificateValidity, now: now.milliseconds)
        try await store.insertCertificate(certificate.record(node: node, at: now))
        return certificate
    }
}

extension Certificate {
    func record(node: String, at now: Timestamp) -> CertificateRecord {
        CertificateRecord(
            serial: serial, node: node, fingerprint: fingerprint, issuedAt: now,
            expiresAt: Timestamp(milliseconds: notAfter))
    }
}
