import Glibc
import NIOCore
import NIOPosix
import Testing
import Transport

@Suite struct `A connection between two of ours` {
    let credentials: Credentials

    init() throws { credentials = try Credentials() }

    @Test func `carries bytes both ways and names the node`() async throws {
        let host = try await Host(TLSContext(server: credentials.serverSettings()), manner: .echo)
        let (channel, saw) = try await host.dial(TLSContext(client: credentials.clientSettings(credentials.node)))
        try await channel.writeAndFlush(ByteBuffer(string: "hello"))
        try await saw.wait("echo") { $0.bytes == Array("hello".utf8) }
        let server = try await host.connection()
        #expect(server.now.handshake?.peer?.nodeID == "node-1")
        #expect(server.now.handshake?.service == "innkeeper/1")
        #expect(server.now.handshake?.resumed == false)
        #expect(saw.now.handshake?.peer == credentials.server.chain[0])
        #expect(host.gate.unproved == 0)
        try await channel.close()
        try await server.wait("end") { $0.inactive }
        #expect(server.tlsErrors.isEmpty)
        #expect(server.now.inputClosed)
    }

    @Test func `survives segments of one byte`() async throws {
        let fragment: @Sendable (any Channel) throws -> Void = {
            try $0.pipeline.syncOperations.addHandler(Fragmenter(), position: .first)
        }
        let host = try await Host(
            TLSContext(server: credentials.serverSettings()), manner: .echo, prepare: fragment)
        let (channel, saw) = try await host.dial(
            TLSContext(client: credentials.clientSettings(credentials.node)), prepare: fragment)
        let bytes = (0..<20_000).map { UInt8($0 % 251) }
        try await channel.writeAndFlush(ByteBuffer(bytes: bytes))
        try await saw.wait("echo") { $0.received == bytes.count }
        #expect(saw.now.bytes == bytes)
        try await channel.close()
    }

    @Test func `sends what was written before the handshake, and small writes of one flush together`() async throws {
        let host = try await Host(TLSContext(server: credentials.serverSettings()))
        let (channel, _) = try await host.dial(
            TLSContext(client: credentials.clientSettings(credentials.node)),
            prepare: { channel in
                for number in 0..<1000 { channel.write(ByteBuffer(string: "\(number) "), promise: nil) }
                channel.flush()
            })
        let server = try await host.connection()
        let expected = (0..<1000).map { "\($0) " }.joined()
        try await server.wait("early writes") { $0.received == expected.utf8.count }
        #expect(server.text == expected)
        let promises = (0..<100).map { _ in channel.eventLoop.makePromise(of: Void.self) }
        for promise in promises { channel.write(ByteBuffer(string: "x"), promise: promise) }
        channel.flush()
        for promise in promises { try await promise.futureResult.get() }
        try await server.wait("small writes") { $0.received == expected.utf8.count + 100 }
        try await channel.close()
    }

    @Test func `refuses to hold more before the handshake than its limit`() async throws {
        let host = try await Host(TLSContext(server: credentials.serverSettings()))
        var limits = TLSLimits.patient
        limits.earlyWriteBytes = 1000
        let context = try TLSContext(client: credentials.clientSettings(credentials.node, limits: limits))
        await #expect(throws: TLSError.earlyWriteLimit(1000)) {
            _ = try await host.dial(context, prepare: { try $0.pipeline.syncOperations.addHandler(EagerWriter()) })
        }
    }

    @Test func `lets the application answer after the peer's close_notify`() async throws {
        let host = try await Host(
            TLSContext(server: credentials.serverSettings()), manner: .answerAtEnd("goodbye to you"))
        let (channel, saw) = try await host.dial(TLSContext(client: credentials.clientSettings(credentials.node)))
        try await channel.writeAndFlush(ByteBuffer(string: "last question"))
        try await channel.close(mode: .output)
        await #expect(throws: ChannelError.self) { try await channel.writeAndFlush(ByteBuffer(string: "no")) }
        try await saw.wait("answer and end") { $0.inactive }
        #expect(saw.text == "goodbye to you")
        #expect(saw.tlsErrors.isEmpty)
        let server = try await host.connection()
        try await server.wait("end") { $0.inactive }
        #expect(server.text == "last question")
        #expect(server.tlsErrors.isEmpty)
    }

    @Test func `closes a half-closed connection whose application says nothing`() async throws {
        var limits = TLSLimits.patient
        limits.halfClosed = .milliseconds(50)
        let forgetful: @Sendable (any Channel) throws -> Void = { channel in
            try channel.pipeline.syncOperations.addHandler(
                EndSwallower(), position: .after(channel.pipeline.syncOperations.handler(type: TLSHandler.self)))
        }
        let host = try await Host(
            TLSContext(server: credentials.serverSettings(limits: limits)), prepare: forgetful)
        let (channel, saw) = try await host.dial(TLSContext(client: credentials.clientSettings(credentials.node)))
        try await channel.close(mode: .output)
        try await saw.wait("end") { $0.inactive }
        let server = try await host.connection()
        try await server.wait("end") { $0.inactive }
        #expect(!server.now.inputClosed)
    }

    @Test func `delivers a long burst to a stalled reader exactly and holds little meanwhile`() async throws {
        let host = try await Host(
            TLSContext(server: credentials.serverSettings()), manner: .checkCounting,
            prepare: { try $0.syncOptions?.setOption(.autoRead, value: false) })
        let source = CountingSource(total: 60_000_000)
        let (channel, _) = try await host.dial(
            TLSContext(client: credentials.clientSettings(credentials.node)),
            prepare: { try $0.pipeline.syncOperations.addHandler(source.handler()) })
        let server = try await host.connection()
        try await server.wait("handshake") { $0.handshake != nil }
        try await source.stalls()
        // Two socket buffers and a watermark, not the whole.
        #expect(source.written < 30_000_000)
        #expect(server.now.received == 0)
        let peer = try #require(server.now.channel)
        try await peer.setOption(.autoRead, value: true).get()
        try await server.wait("all bytes") { $0.received == 60_000_000 }
        #expect(server.now.errors.isEmpty)
        try await channel.close()
    }

    @Test func `carries lines of 900 KB whole`() async throws {
        let host = try await Host(
            TLSContext(server: credentials.serverSettings()),
            prepare: {
                let tls = try $0.pipeline.syncOperations.handler(type: TLSHandler.self)
                try $0.pipeline.syncOperations.addHandler(LineDecoder(), position: .after(tls))
            })
        let (channel, _) = try await host.dial(
            TLSContext(client: credentials.clientSettings(credentials.node)),
            prepare: {
                let tls = try $0.pipeline.syncOperations.handler(type: TLSHandler.self)
                try $0.pipeline.syncOperations.addHandler(LineEncoder(), position: .after(tls))
            })
        let server = try await host.connection()
        for _ in 0..<5 { channel.writeAndFlush(ByteBuffer(repeating: 0x61, count: 900_000), promise: nil) }
        try await server.wait("lines") { $0.received == 4_500_000 }
        #expect(server.now.bytes.allSatisfy { $0 == 0x61 })
        try await channel.close()
    }

    @Test func `frees its libssl objects when it ends, however it ends`() async throws {
        weak var context: TLSContext?
        do {
            let strong = try TLSContext(server: credentials.serverSettings())
            context = strong
            let host = try await Host(strong)
            let clientContext = try TLSContext(client: credentials.clientSettings(credentials.node))
            let (first, _) = try await host.dial(clientContext)
            try await first.close()
            // Ended in the middle of the handshake.
            let raw = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(host: "127.0.0.1", port: host.port).get()
            let second = try await host.connection(1)
            try await raw.close()
            try await second.wait("end") { $0.inactive }
            try await host.connection(0).wait("end") { $0.inactive }
            try await host.channel.close()
        }
        try await eventually("the context is free") { context == nil }
    }
}

/// Writes 1001 bytes as soon as there is a connection.
private final class EagerWriter: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    func channelActive(context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(repeating: 0, count: 1001)), promise: nil)
    }
}

/// Keeps the application from learning of the peer's end.
private final class EndSwallower: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event as? ChannelEvent != .inputClosed { context.fireUserInboundEventTriggered(event) }
    }
}
