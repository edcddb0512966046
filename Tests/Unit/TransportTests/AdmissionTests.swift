import NIOCore
import NIOPosix
import Testing
import Transport

func plainConnection(to port: Int, saying text: String = "") async throws -> any Channel {
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .connect(host: "127.0.0.1", port: port).get()
    if !text.isEmpty { try await channel.writeAndFlush(ByteBuffer(string: text)) }
    return channel
}

@Suite struct `Connections that have not proved who they are` {
    let credentials: Credentials

    init() throws { credentials = try Credentials() }

    @Test(arguments: [(total: 50, perAddress: 1000), (total: 1000, perAddress: 50)])
    func `are held to the cap, and the oldest make room for who comes later`(
        _ caps: (total: Int, perAddress: Int)
    ) async throws {
        let gate = ConnectionGate(total: caps.total, perAddress: caps.perAddress)
        let server = try TLSContext(server: credentials.serverSettings())
        let host = try await Host(server, manner: .echo, gate: gate)
        var strangers: [any Channel] = []
        for _ in 0..<200 { strangers.append(try await plainConnection(to: host.port)) }
        try await eventually("all arrive") { host.count == 200 }
        let crowded: @Sendable (Sightings) -> Bool = { $0.now.inactive && $0.tlsErrors == [.crowded] }
        try await eventually("150 are refused") { host.all.filter(crowded).count == 150 }
        // The oldest are those who go; two loops may disagree a little on who is older.
        #expect(host.all.suffix(50).filter { !$0.now.inactive }.count > 40)
        #expect(gate.unproved == 50)
        let context = try TLSContext(client: credentials.clientSettings(credentials.node))
        let (channel, saw) = try await host.dial(context)
        try await channel.writeAndFlush(ByteBuffer(string: "in"))
        try await saw.wait("echo") { $0.received == 2 }
        // Those who proved who they are need no place.
        #expect(gate.unproved == 49)
        for stranger in strangers { try? await stranger.close() }
        try await eventually("places are free") { gate.unproved == 0 }
        try await channel.close()
    }

    @Test func `are cut off when the handshake takes too long, also byte by byte`() async throws {
        var limits = TLSLimits.patient
        limits.handshake = .milliseconds(300)
        let gate = ConnectionGate(total: 1000, perAddress: 1000)
        let host = try await Host(TLSContext(server: credentials.serverSettings(limits: limits)), gate: gate)
        var strangers: [any Channel] = []
        for _ in 0..<100 { strangers.append(try await plainConnection(to: host.port)) }
        let slow = try await plainConnection(to: host.port)
        // The start of a record of 512 bytes that never ends.
        let drip = Task {
            for byte: UInt8 in [22, 3, 1, 2, 0] + Array(repeating: 1, count: 500) {
                try await slow.writeAndFlush(ByteBuffer(bytes: [byte]))
                try await Task.sleep(for: .milliseconds(5))
            }
        }
        for index in 0...100 {
            let connection = try await host.connection(index)
            try await connection.wait("end") { $0.inactive }
            #expect(connection.tlsErrors == [.timedOut])
        }
        drip.cancel()
        #expect(host.gate.unproved == 0)
    }

    @Test func `are cut off when the proof after the handshake takes too long`() async throws {
        var limits = TLSLimits.patient
        limits.proof = .milliseconds(100)
        let host = try await Host(TLSContext(server: credentials.serverSettings(limits: limits)))
        let (_, saw) = try await host.dial(
            TLSContext(client: credentials.clientSettings(nil, service: "innkeeper-enrol/1")))
        try await saw.wait("end") { $0.inactive }
        let connection = try await host.connection()
        #expect(connection.tlsErrors == [.timedOut])
    }

    @Test func `do not wait for a server that never answers`() async throws {
        let silent = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        var limits = TLSLimits.patient
        limits.handshake = .milliseconds(100)
        let context = try TLSContext(client: credentials.clientSettings(nil, limits: limits))
        let port = try #require(silent.localAddress?.port)
        await #expect(throws: TLSError.timedOut) { _ = try await dial(port: port, context) }
        try await silent.close()
    }
}
