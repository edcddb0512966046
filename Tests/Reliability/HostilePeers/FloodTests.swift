import APIModels
import Model
import SiteSupport
import TestSupport
import Testing
import Transport
import WireProtocol

extension HostilePeers {
    /// A node that was let in, and says more than anybody wants to know.
    @Suite struct FloodTests {
        private static let mebibytes = Torture.choose(8, long: 256)

        /// Sends the lines as fast as they are taken, and expects the session to be as before.
        private func flood(
            _ ground: Ground, _ agent: HostileAgent, _ line: (Int) -> AgentMessage
        ) async throws {
            var (sent, index) = (0, 0)
            while sent < Self.mebibytes << 20, !agent.peer.isClosed {
                let bytes = line(index).line()
                try await agent.peer.send(bytes)
                (sent, index) = (sent + bytes.count, index + 1)
            }
            try await agent.expectAlive()
            await agent.peer.close()
        }

        @Test func `a million names of series`() async throws {
            try await Witness.watch(working: true, growth: 160 << 20) { ground, log in
                let agent = try await HostileAgent.welcomed(ground)
                try await flood(ground, agent) { index in
                    .series(
                        SeriesDefinition(names: (0..<16_384).map { "hostile.\(index).\($0).a-name-of-usual-length" }))
                }
            }
        }

        @Test func `inventories of thousands of things`() async throws {
            try await Witness.watch(working: true, growth: 160 << 20) { ground, log in
                let agent = try await HostileAgent.welcomed(ground)
                try await flood(ground, agent) { index in
                    .inventory(
                        Inventory(
                            driver: "docker", generation: Int64(index), full: true,
                            items: (0..<8_000).map {
                                .init(
                                    resource: "docker/\(index)-\($0)",
                                    state: ["state": "running", "n": .integer(Int64(index))])
                            }))
                }
            }
        }

        @Test func `events without end`() async throws {
            try await Witness.watch(working: true, growth: 160 << 20) { ground, log in
                let agent = try await HostileAgent.welcomed(ground)
                let time = Timestamp.now().milliseconds
                try await flood(ground, agent) { index in
                    .event(
                        NodeEvent(
                            seq: Int64(index + 1), time: time, driver: "host", resource: "host", kind: "noise",
                            data: ["text": .string(String(repeating: "x", count: 2000))]))
                }
            }
        }

        @Test func `results a mebibyte long, of nothing`() async throws {
            try await Witness.watch(working: true, growth: 160 << 20) { ground, log in
                let agent = try await HostileAgent.welcomed(ground)
                let empty = JSONValue.array(Array(repeating: .array([]), count: 90_000))
                try await flood(ground, agent) { index in
                    .result(
                        CommandResult(
                            id: "none-\(index)", status: .succeeded, changed: true, observed: ["a": empty], finished: 1)
                    )
                }
            }
        }

        @Test func `requests for certificates: one is answered`() async throws {
            try await Witness.watch(working: true) { ground, log in
                let agent = try await HostileAgent.welcomed(ground)
                let csr = try CertificateSigningRequest.make(key: .generate(), commonName: "x")
                for _ in 0..<1000 { agent.peer.offer(AgentMessage.renew(CertificateRenewal(csr: csr)).line()) }
                try await agent.expectAlive()
                #expect(await log.says("certificate renewed", agent.node))
                #expect(log.count(of: "certificate renewed", agent.node) == 1)
                await agent.peer.close()
            }
        }

        @Test func `a peer that never reads is cut when too much waits for it`() async throws {
            try await Witness.watch(growth: 64 << 20) { ground, log in
                let agent = try await HostileAgent.welcomed(ground)
                try await agent.peer.goDeaf()
                let beats = (0..<2000).flatMap { AgentMessage.heartbeat(Heartbeat(seq: $0, time: 1)).line() }
                // As many as it takes: each answer is small, and the controller takes its time.
                _ = await eventually(within: .seconds(240)) {
                    agent.peer.offer(beats)
                    return log.count(of: "does not read", agent.node) > 0
                }
                #expect(await log.says("link refused", "code=overload", agent.node))
                #expect(await log.says("link to node lost", agent.node))
                await agent.peer.reset()
            }
        }

        @Test func `key updates without end`() async throws {
            try await Witness.watch(growth: 32 << 20) { ground, log in
                let arguments = ["-alpn", ProtocolVersion.enrolmentALPN]
                let said = try await ground.openssl.talk(
                    arguments, saying: "sleep 1; yes K | head -n 3000; sleep 1")
                #expect(said.contains("KEYUPDATE"), "\(said.suffix(300))")
            }
        }
    }
}
