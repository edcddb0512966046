import DriverKit
import NIOCore
import NIOEmbedded

@testable import DockerDriver
@testable import Transport
@testable import innctl

/// Streams that arrive in pieces: where they are cut makes no difference to what is read.
enum Streams {
    static let targets = [
        FuzzTarget("frames") { input in try lines(input) },
        FuzzTarget("docker-stream") { input in
            try framesAlike(input)
            try linesAlike(input)
        },
        FuzzTarget("events") { input in try eventsAlike(input) },
    ]

    /// The first byte says how long pieces are: 1 to 16 bytes, in a pattern of its own.
    private static func pieces(of input: UnsafeRawBufferPointer) -> (whole: [UInt8], pieces: [[UInt8]]) {
        var seed = Int(input.first ?? 0)
        let whole = Array(input.dropFirst())
        var pieces: [[UInt8]] = []
        var rest = whole[...]
        while !rest.isEmpty {
            let length = seed % 16 + 1
            seed = (seed * 5 + 3) % 256
            pieces.append(Array(rest.prefix(length)))
            rest = rest.dropFirst(length)
        }
        return (whole, pieces)
    }

    // MARK: - Lines of the link

    private static func lines(_ input: UnsafeRawBufferPointer) throws {
        let (whole, pieces) = pieces(of: input)
        let limit = 24
        let (lines, broken) = try decoded(pieces, limit: limit)
        let (expected, tooLong) = reference(whole, limit: limit)
        try require(lines == expected, "other lines than a plain split gives")
        try require(
            broken == tooLong, tooLong ? "a line beyond the limit is taken" : "a line within the limit is refused")
    }

    private static func decoded(_ pieces: [[UInt8]], limit: Int) throws -> (lines: [[UInt8]], broken: Bool) {
        let channel = EmbeddedChannel(handler: LineDecoder(maximumBytes: limit))
        var broken = false
        for piece in pieces {
            do { try channel.writeInbound(ByteBuffer(bytes: piece)) } catch is LineError { broken = true }
        }
        var lines: [[UInt8]] = []
        while let line: ByteBuffer = try channel.readInbound() { lines.append(Array(line.readableBytesView)) }
        _ = try? channel.finish(acceptAlreadyClosed: true)
        return (lines, broken)
    }

    private static func reference(_ bytes: [UInt8], limit: Int) -> (lines: [[UInt8]], tooLong: Bool) {
        var parts = bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map(Array.init)
        if let long = parts.firstIndex(where: { $0.count > limit }) { return (Array(parts[..<long]), true) }
        parts.removeLast()
        return (parts, false)
    }

    // MARK: - The engine's streams

    private static func framesAlike(_ input: UnsafeRawBufferPointer) throws {
        let (whole, pieces) = pieces(of: input)
        var (once, cut) = (StreamFrames(), StreamFrames())
        let atOnce = once.feed(whole)
        var parts: [(OutputStream, [UInt8])]? = []
        for piece in pieces {
            guard parts != nil else { break }
            if let more = cut.feed(piece) { parts? += more } else { parts = nil }
        }
        try require((atOnce == nil) == (parts == nil), "cutting decides whether it is malformed")
        guard let atOnce, let parts else { return }
        try require(once.isBetweenFrames == cut.isBetweenFrames, "cutting decides whether it ended in a frame")
        for stream in [OutputStream.stdout, .stderr] {
            try require(bytes(of: stream, atOnce) == bytes(of: stream, parts), "cutting changes \(stream)")
        }
    }

    private static func bytes(of stream: OutputStream, _ pieces: [(OutputStream, [UInt8])]) -> [UInt8] {
        pieces.filter { $0.0 == stream }.flatMap { $0.1 }
    }

    private static func linesAlike(_ input: UnsafeRawBufferPointer) throws {
        let (whole, pieces) = pieces(of: input)
        var (once, cut) = (JSONLines(), JSONLines())
        let atOnce = once.feed(whole) + once.finish()
        try require(pieces.flatMap { cut.feed($0) } + cut.finish() == atOnce, "cutting changes the engine's lines")
        var log = EventLog()
        for object in atOnce {
            guard let event = log.take(object) else { continue }
            try require(log.take(object) == nil, "one event is told twice")
            try require(!event.kind.isEmpty, "an event of no kind")
        }
    }

    // MARK: - Server-sent events

    private static func eventsAlike(_ input: UnsafeRawBufferPointer) throws {
        let (whole, pieces) = pieces(of: input)
        var (once, cut) = (EventReader(), EventReader())
        let atOnce = try once.read(whole)
        try require(try pieces.flatMap { try cut.read($0) } == atOnce, "cutting changes the events")
        for event in atOnce {
            try require(!event.name.contains("\n") && event.id?.contains("\n") != true, "a line end within a field")
            var again = EventReader()
            try require(try again.read(Array(written(event).utf8)) == [event], "an event changes when written again")
        }
    }

    private static func written(_ event: ServerEvent) -> String {
        let data = event.data.split(separator: "\n", omittingEmptySubsequences: false).map { "data: \($0)\n" }
        return "event: \(event.name)\n" + (event.id.map { "id: \($0)\n" } ?? "") + data.joined() + "\n"
    }
}
