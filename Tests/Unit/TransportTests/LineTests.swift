import NIOCore
import NIOEmbedded
import Testing
import Transport

@Suite struct `Lines` {
    private func lines(_ pieces: [String], limit: Int = 100) throws -> [String] {
        let channel = EmbeddedChannel(handler: LineDecoder(maximumBytes: limit))
        for piece in pieces { try channel.writeInbound(ByteBuffer(string: piece)) }
        var lines: [String] = []
        while let line = try channel.readInbound(as: ByteBuffer.self) { lines.append(String(buffer: line)) }
        return lines
    }

    @Test(arguments: [1, 2, 3, 5, 100])
    func `come out the same however the stream is cut`(_ size: Int) throws {
        let text = Array("{\"a\":1}\n\n{\"type\":\"heartbeat\"}\nx\nunfinished")
        let pieces = stride(from: 0, to: text.count, by: size).map {
            String(text[$0..<min($0 + size, text.count)])
        }
        #expect(try lines(pieces) == ["{\"a\":1}", "", "{\"type\":\"heartbeat\"}", "x"])
    }

    @Test func `may be exactly as long as the limit and no longer`() throws {
        #expect(try lines(["abcde\n"], limit: 5) == ["abcde"])
        #expect(try lines(["abc", "de", "\n"], limit: 5) == ["abcde"])
        #expect(throws: LineError.tooLong(limit: 5)) { try lines(["abcdef\n"], limit: 5) }
        #expect(throws: LineError.tooLong(limit: 5)) { try lines(["abc", "def"], limit: 5) }
        #expect(throws: LineError.tooLong(limit: 5)) { try lines(["abc", "def\n"], limit: 5) }
    }

    @Test func `end after one that is too long`() throws {
        let channel = EmbeddedChannel(handler: LineDecoder(maximumBytes: 5))
        #expect(throws: LineError.self) { try channel.writeInbound(ByteBuffer(string: "ok\nabcdefgh\nlate\n")) }
        try channel.writeInbound(ByteBuffer(string: "later\n"))
        #expect(try channel.readInbound(as: ByteBuffer.self) == ByteBuffer(string: "ok"))
        #expect(try channel.readInbound(as: ByteBuffer.self) == nil)
    }

    @Test func `that are not finished do not hold on to the receive buffer`() throws {
        let channel = EmbeddedChannel(handler: LineDecoder())
        var received = ByteBufferAllocator().buffer(capacity: 1 << 20)
        received.writeString(String(repeating: "a", count: 1000) + "\nrest")
        try channel.writeInbound(received)
        _ = try channel.readInbound(as: ByteBuffer.self)
        try channel.writeInbound(ByteBuffer(string: "\n"))
        let line = try #require(try channel.readInbound(as: ByteBuffer.self))
        #expect(String(buffer: line) == "rest")
        #expect(line.storageCapacity < 1024)
    }

    @Test func `are written with their end`() throws {
        let channel = EmbeddedChannel(handler: LineEncoder())
        channel.writeAndFlush(ByteBuffer(string: "one"), promise: nil)
        channel.writeAndFlush(ByteBuffer(string: ""), promise: nil)
        var text = ""
        while let piece = try channel.readOutbound(as: ByteBuffer.self) { text += String(buffer: piece) }
        #expect(text == "one\n\n")
    }

    @Test func `that come in halves make the decoder ask for the rest`() throws {
        let counter = ReadCounter()
        let channel = EmbeddedChannel(handlers: [counter, LineDecoder()])
        channel.read()
        #expect(counter.reads == 1)
        try channel.writeInbound(ByteBuffer(string: "half"))
        #expect(counter.reads == 2)
        try channel.writeInbound(ByteBuffer(string: " and half\n"))
        #expect(counter.reads == 2)
    }
}

private final class ReadCounter: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    var reads = 0
    func read(context: ChannelHandlerContext) {
        reads += 1
        context.read()
    }
}
