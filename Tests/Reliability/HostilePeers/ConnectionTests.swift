import Glibc
import HTTPFetch
import SiteSupport
import TestSupport
import Testing
import Transport
import WireProtocol

extension HostilePeers {
    /// Connections that want nothing but to be there.
    @Suite struct ConnectionTests {
        /// What the gate lets stand without proof, and some for the rest of the controller's work.
        private static let bound = 1024 + 128

        /// Opens so many connections from 64 addresses, says something on each, and runs the body while they stand.
        private func crowd(
            _ count: Int, port: Int, saying bytes: [UInt8] = [], _ body: () async throws -> Void
        ) async throws {
            var sockets: [RawSocket] = []
            defer { for socket in sockets { socket.close() } }
            for index in 0..<count {
                let socket = try RawSocket(to: port, from: "127.77.0.\(1 + index % 64)")
                if !bytes.isEmpty { socket.send(bytes) }
                sockets.append(socket)
            }
            try await body()
        }

        @Test func `five thousand silent connections: places are bounded, and a newcomer gets in`() async throws {
            try await Witness.watch(working: true, growth: 96 << 20) { ground, log in
                let (pid, before) = (try ground.controllerPID, try ProcessFigures(of: try ground.controllerPID))
                try await crowd(5000, port: ground.agentPort) {
                    let isBounded = await eventually {
                        (try? ProcessFigures(of: pid)).map { $0.descriptors - before.descriptors <= Self.bound }
                            ?? false
                    }
                    let now = try ProcessFigures(of: pid).descriptors
                    #expect(isBounded, "\(now) descriptors")
                    let newcomer = try await HostileAgent.welcomed(ground)
                    try await newcomer.expectAlive()
                    await newcomer.peer.close()
                }
            }
        }

        @Test func `handshakes that are begun and left`() async throws {
            try await Witness.watch(working: true, growth: 160 << 20) { ground, log in
                let (pid, before) = (try ground.controllerPID, try ProcessFigures(of: try ground.controllerPID))
                let hello = try ClientHello.bytes(speaking: ProtocolVersion.alpn, trusting: ground.authority)
                try await crowd(Torture.choose(1500, long: 5000), port: ground.agentPort, saying: hello) {
                    let newcomer = try await HostileAgent.welcomed(ground)
                    try await newcomer.expectAlive()
                    await newcomer.peer.close()
                    let now = try ProcessFigures(of: pid).descriptors
                    #expect(now - before.descriptors <= Self.bound)
                }
            }
        }

        @Test func `thousands of idle connections to the API: callers with a key are served`() async throws {
            try await Witness.watch(growth: 96 << 20) { ground, log in
                try await crowd(3000, port: ground.apiPort) {
                    for _ in 1...5 {
                        let answer = try await ground.front.send("GET", "/api/v1/nodes")
                        #expect(answer.status == 200)
                    }
                }
            }
        }

        @Test func `slow senders are cut in the handshake, in hello and in the middle of a line`() async throws {
            try await Witness.watch(working: true) { ground, log in
                let hello = try ClientHello.bytes(speaking: ProtocolVersion.alpn, trusting: ground.authority)
                let raw = try RawSocket(to: ground.agentPort)
                defer { raw.close() }
                let greeting = try await HostileAgent.dial(ground, as: ground.newNode())
                let open = try await HostileAgent.welcomed(ground)
                let enrolling = try await Applicant.dial(ground)
                var index = 0
                while index < 450, !(raw.isLeft && greeting.peer.isClosed && open.peer.isClosed && enrolling.isClosed) {
                    if index < hello.count { raw.send([hello[index]]) }
                    for peer in [greeting.peer, open.peer, enrolling] { peer.offer([UInt8(ascii: "{")]) }
                    try await Task.sleep(for: .milliseconds(100))
                    index += 1
                }
                #expect(raw.isLeft)
                await greeting.expectGoodbye(.timeout)
                await open.expectGoodbye(.timeout)
                #expect(enrolling.isClosed && enrolling.messages.isEmpty)
            }
        }

        enum Phase: CaseIterable { case connected, inHandshake, secured, inHello, greeted, inLine }

        @Test(arguments: Phase.allCases, [false, true])
        func `a peer that leaves early leaves nothing behind`(_ phase: Phase, byReset: Bool) async throws {
            try await Witness.watch { ground, log in
                let node = try await ground.newNode()
                let hello = try ClientHello.bytes(speaking: ProtocolVersion.alpn, trusting: ground.authority)
                for _ in 0..<10 { try await leave(phase, byReset, ground, node, hello) }
            }
        }

        private func leave(
            _ phase: Phase, _ byReset: Bool, _ ground: Ground, _ node: String, _ hello: [UInt8]
        ) async throws {
            if phase == .connected || phase == .inHandshake {
                let socket = try RawSocket(to: ground.agentPort)
                if phase == .inHandshake { socket.send(Array(hello.prefix(hello.count / 2))) }
                return byReset ? socket.reset() : socket.close()
            }
            let agent = try await HostileAgent.dial(ground, as: node)
            let line = AgentMessage.hello(HostileAgent.hello(node)).line()
            if phase == .inHello { try await agent.peer.send(Array(line.prefix(20))) }
            if phase == .greeted || phase == .inLine { try await agent.greet() }
            if phase == .inLine { try await agent.peer.send(Array(line.prefix(20))) }
            byReset ? await agent.peer.reset() : await agent.peer.close()
        }

        @Test func `without descriptors the controller goes on, and recovers when it has some`() async throws {
            try await Witness.watch { ground, log in
                let pid = try ground.controllerPID
                let room = try ProcessFigures(of: pid).descriptors + 12
                try await DescriptorLimit(pid: pid).hold(at: room) {
                    try await crowd(200, port: ground.agentPort) {
                        try await crowd(200, port: ground.apiPort) {
                            let before = try ProcessFigures.processorTime(of: pid)
                            try await Task.sleep(for: .seconds(3))
                            let spent = try ProcessFigures.processorTime(of: pid) - before
                            #expect(spent < .milliseconds(1500), "\(spent) of processor time in 3 s")
                        }
                    }
                }
                let isBack = await eventually {
                    (try? await ground.front.send("GET", "/api/v1/nodes").status) == 200
                }
                #expect(isBack)
                let newcomer = try await HostileAgent.welcomed(ground)
                try await newcomer.expectAlive()
                await newcomer.peer.close()
            }
        }
    }
}
