import APIModels
import SiteSupport
import TestSupport
import Testing
import Transport
import WireProtocol

extension HostilePeers {
    /// Who may not come in: each is turned away in the handshake, with the alert that fits.
    @Suite struct CertificateTests {
        enum Stranger: String, CaseIterable, CustomTestStringConvertible {
            case noCertificate, wrongAuthority, serverCertificate, expired, notYetValid, unknownNode, revokedNode
            case oldVersion, wrongProtocol, noProtocol
            var testDescription: String { rawValue }
            /// Number of the TLS alert.
            var alert: Int {
                switch self {
                case .noCertificate: 116
                case .wrongAuthority: 48
                case .serverCertificate: 43
                case .expired: 45
                case .notYetValid: 42
                case .unknownNode: 46
                case .revokedNode: 44
                case .oldVersion: 70
                case .wrongProtocol, .noProtocol: 120
                }
            }
        }

        @Test(arguments: Stranger.allCases)
        func `a stranger is turned away with the right alert`(_ stranger: Stranger) async throws {
            try await Witness.watch { ground, log in
                let said = try await ground.openssl.talk(["-ign_eof"] + arguments(stranger, ground), saying: "true")
                #expect(said.contains("SSL alert number \(stranger.alert)"), "\(said.suffix(400))")
                #expect(!said.contains("\"welcome\""))
            }
        }

        private func arguments(_ stranger: Stranger, _ ground: Ground) async throws -> [String] {
            let alpn = ["-alpn", ProtocolVersion.alpn]
            let known = try ground.site.node()
            let identity: TLSIdentity
            switch stranger {
            case .noCertificate: return alpn
            case .wrongAuthority: identity = try ground.forge.rival().node(known)
            case .serverCertificate: identity = try ground.forge.server()
            case .expired: identity = try ground.forge.node(known, shift: .seconds(-30 * 86_400))
            case .notYetValid: identity = try ground.forge.node(known, shift: .seconds(30 * 86_400))
            case .unknownNode: identity = try ground.forge.node("node_0123456789abcdef0123456789")
            case .revokedNode: identity = try ground.forge.node(try await revokedNode(ground))
            case .oldVersion: return alpn + ["-tls1_2"] + (try ground.openssl.presenting(ground.forge.node(known)))
            case .wrongProtocol: return ["-alpn", "h2"] + (try ground.openssl.presenting(ground.forge.node(known)))
            case .noProtocol: return try ground.openssl.presenting(ground.forge.node(known))
            }
            return alpn + (try ground.openssl.presenting(identity))
        }

        private func revokedNode(_ ground: Ground) async throws -> String {
            let node = try await ground.newNode()
            let _: Node = try await ground.front.post("/api/v1/nodes/\(node)/revoke")
            return node
        }

        @Test func `knocking fills no log: the first of an address is noted, the rest is counted`() async throws {
            try await Witness.watch { ground, log in
                for _ in 0..<50 {
                    let socket = try RawSocket(to: ground.agentPort, from: "127.66.0.1")
                    socket.send(Array("GET / HTTP/1.1\r\n\r\n".utf8))
                    _ = socket.rest()
                    socket.close()
                }
                #expect(await log.says("handshake failed", "127.66.0.1"))
                #expect(log.count(of: "handshake failed", "127.66.0.1") == 1)
            }
        }

        @Test func `the certificate of one node does not speak for another`() async throws {
            try await Witness.watch { ground, log in
                let agent = try await HostileAgent.dial(ground, as: ground.newNode())
                try await agent.say(.hello(HostileAgent.hello(ground.site.node())))
                await agent.expectGoodbye(.refused, "certificate")
                #expect(await agent.peer.goodbye()?.retry == false)
                #expect(await log.says("link refused", "code=refused", agent.node))
            }
        }

        @Test func `a second machine with the certificate of a live node is refused, and the alarm is raised`()
            async throws
        {
            try await Witness.watch(working: true) { ground, log in
                let node = try ground.site.node()
                for _ in 1...3 {
                    let clone = try await HostileAgent.dial(ground, as: node)
                    try await clone.say(.hello(HostileAgent.hello(node)))
                    await clone.expectGoodbye(.duplicate)
                }
                #expect(await log.says("a second machine uses the certificate", node))
                let audit = try await ground.front.get("/api/v1/audit?limit=100", as: Listing<AuditEntry>.self)
                #expect(audit.items.contains { $0.action == "node.duplicate" && $0.subject == node })
            }
        }

        @Test func `a revoked node's live session is cut at once and does not come back`() async throws {
            try await Witness.watch { ground, log in
                let agent = try await HostileAgent.welcomed(ground)
                let _: Node = try await ground.front.post("/api/v1/nodes/\(agent.node)/revoke")
                await agent.expectGoodbye(.revoked)
                let second = try? await HostileAgent.dial(ground, as: agent.node)
                let isRefused = await second?.peer.isLeft() ?? true
                #expect(isRefused && second?.peer.messages.isEmpty ?? true)
            }
        }
    }
}
