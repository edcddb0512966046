package import APIModels
import HTTPTypes
import Hummingbird
import NIOCore

/// One server-sent event.
package struct ServerEvent: Sendable {
    var name: String
    var id: String
    /// JSON, which has no line ends.
    var data: [UInt8]

    /// - Parameter id: where a reader goes on that comes back.
    package init(_ name: String, id: String, _ model: some Encodable) throws {
        self.name = name
        self.id = id
        data = try BodyEncoder.bytes(model)
    }

    func write(into buffer: inout ByteBuffer) {
        buffer.writeString("event: \(name)\nid: \(id)\ndata: ")
        buffer.writeBytes(data)
        buffer.writeString("\n\n")
    }
}

/// Times of event streams.
struct EventTiming: Sendable {
    /// Between signs of life when nothing happens.
    var heartbeat: Duration = .seconds(15)
    /// How long a reader may leave our bytes lying before it is cut.
    var patience: Duration = .seconds(30)
}

/// Where events come from. It is asked again whenever something may be new, and keeps its own place.
package protocol EventSource: Sendable {
    /// What is new, in order; `isOver` when nothing will follow.
    mutating func read() async throws -> (events: [ServerEvent], isOver: Bool)
}

extension APICall {
    /// A source's events for as long as it has any and the reader reads.
    /// - Parameters:
    ///   - bell: rings when something may be new, and ends when the server stops; nil when it does already.
    ///   - other: rings as well.
    ///   - isPermitted: whether the reader's key still holds; asked with each sign of life.
    package func stream(
        _ source: some EventSource, bell: AsyncStream<Void>?, alsoOn other: AsyncStream<Void>? = nil,
        isPermitted: @escaping @Sendable () async -> Bool
    ) throws(Problem) -> Answer {
        guard let bell else { throw Problem(.unavailable, "the controller is stopping") }
        return EventStream(
            source: source, bell: bell, timing: pipeline.settings.events, channel: context.channel,
            place: try pipeline.places.openStream(caller, on: context.channel.connection), isPermitted: isPermitted,
            otherBell: other
        ).answer
    }
}

/// Writes a source's events to one reader. What the reader does not take stays in the source: nothing piles up here.
private struct EventStream<Source: EventSource>: Sendable {
    let source: Source
    /// Rings when something may be new; ends when the server stops.
    let bell: AsyncStream<Void>
    let timing: EventTiming
    let channel: any Channel
    /// Held until the stream is over.
    let place: CallerPlaces.Place
    /// Whether the reader's key still holds; asked with each sign of life.
    let isPermitted: @Sendable () async -> Bool
    let otherBell: AsyncStream<Void>?

    var answer: Answer {
        .raw(
            Response(
                status: .ok,
                headers: [
                    .contentType: "text/event-stream", .cacheControl: "no-store",
                    // Proxies that gather bytes would make live events late.
                    HTTPField.Name("X-Accel-Buffering")!: "no",
                ],
                body: ResponseBody { writer in
                    try await write(to: &writer)
                    try await writer.finish(nil)
                }))
    }

    private func write(to writer: inout any ResponseBodyWriter) async throws {
        defer { place.release() }
        var source = source
        try await send(&writer, ByteBuffer(string: ": innkeeper\nretry: 2000\n\n"))
        for await ring in Rings(bell, otherBell, heartbeat: timing.heartbeat, until: channel.closeFuture) {
            if ring == .heartbeat {
                guard await isPermitted() else { return }
                try await send(&writer, ByteBuffer(string: ": heartbeat\n\n"))
            }
            var hasMore = true
            while hasMore {
                let (events, isOver) = try await source.read()
                var buffer = ByteBuffer()
                for event in events { event.write(into: &buffer) }
                if buffer.readableBytes > 0 { try await send(&writer, buffer) }
                if isOver { return }
                hasMore = !events.isEmpty
            }
        }
    }

    /// Writes, and cuts the reader off when he does not take it in time: his connection, where that is what is full.
    private func send(_ writer: inout any ResponseBodyWriter, _ buffer: ByteBuffer) async throws {
        let channel = channel
        let cut = channel.eventLoop.scheduleTask(in: TimeAmount(timing.patience)) {
            (channel.connection.isWritable ? channel : channel.connection).close(promise: nil)
        }
        defer { cut.cancel() }
        try await writer.write(buffer)
    }
}

/// The rings of a bell and, in between, heartbeats, until the reader has gone. The first comes at once.
struct Rings: AsyncSequence, Sendable {
    enum Element: Sendable { case bell, heartbeat }

    private let stream: AsyncStream<Element>

    init(
        _ bell: AsyncStream<Void>, _ other: AsyncStream<Void>? = nil, heartbeat: Duration,
        until end: EventLoopFuture<Void>
    ) {
        let (stream, continuation) = AsyncStream.makeStream(of: Element.self, bufferingPolicy: .bufferingNewest(2))
        self.stream = stream
        continuation.yield(.bell)
        end.whenComplete { _ in continuation.finish() }
        let ringing = Task {
            for await _ in bell { continuation.yield(.bell) }
            continuation.finish()
        }
        let beating = Task {
            while !Task.isCancelled {
                try? await Task.sleep(for: heartbeat)
                continuation.yield(.heartbeat)
            }
        }
        let others = other.map { other in
            Task { for await _ in other { continuation.yield(.bell) } }
        }
        continuation.onTermination = { _ in
            others?.cancel()
            ringing.cancel()
            beating.cancel()
        }
    }

    func makeAsyncIterator() -> AsyncStream<Element>.AsyncIterator { stream.makeAsyncIterator() }
}
