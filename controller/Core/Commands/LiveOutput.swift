package import WireProtocol
import Synchronization

/// How far somebody has read the two outputs of a command, in bytes.
package struct OutputPlace: Sendable, Hashable {
    package var stdout: Int64
    package var stderr: Int64

    package init(stdout: Int64 = 0, stderr: Int64 = 0) { (self.stdout, self.stderr) = (stdout, stderr) }

    package subscript(stream: OutputStream) -> Int64 {
        get { stream == .stderr ? stderr : stdout }
        set { if stream == .stderr { stderr = newValue } else { stdout = newValue } }
    }
}

/// A piece of what a command said. A jump between the end of one and the offset of the next is what nobody has kept.
package struct OutputChunk: Sendable, Hashable {
    package var stream: OutputStream
    /// Bytes of the stream before it.
    package var offset: Int64
    package var bytes: [UInt8]

    /// No command says more. An offset is a node's word, and is counted with.
    private static let furthest: Int64 = 1 << 62

    package init(stream: OutputStream, offset: Int64, bytes: [UInt8]) {
        (self.stream, self.offset, self.bytes) = (stream, min(max(0, offset), Self.furthest), bytes)
    }

    package var end: Int64 { offset + Int64(bytes.count) }
}

/// The last of what a running command says. It is bounded whatever readers do: a command that is followed gets credit for
/// what a reader has read, any other loses its oldest output.
package final class LiveOutput: Sendable {
    /// Bytes kept of a command; of one that is followed more may be unread, as much as its credit and a few reconnects.
    package static let limit = 256 << 10
    fileprivate static let followedLimit = 1 << 20
    /// Bytes that are stored for later readers.
    package static let tailLimit = 64 << 10

    fileprivate struct Held {
        var chunk: OutputChunk
        /// Credit was given for it.
        var isCredited: Bool
    }

    fileprivate struct State {
        var held: [Held] = []
        var bytes = 0
        var isFollowed: Bool
        var lastRead = ContinuousClock.now
        var end = OutputPlace()
    }

    fileprivate let state: Mutex<State>
    /// Gives the command credit for so many bytes more.
    private let credit: @Sendable (_ bytes: Int) -> Void
    private let ring: @Sendable () -> Void

    init(
        isFollowed: Bool, credit: @escaping @Sendable (Int) -> Void, ring: @escaping @Sendable () -> Void = {}
    ) {
        state = Mutex(State(isFollowed: isFollowed))
        self.credit = credit
        self.ring = ring
    }

    /// Bytes held.
    package var bytes: Int { state.withLock { $0.bytes } }

    func append(_ chunk: OutputChunk) {
        let credited = state.withLock { $0.append(chunk) }
        if credited > 0 { credit(credited) }
        ring()
    }

    /// What comes behind `place`, at most about `limit` bytes. Everything up to `place` counts as read.
    package func read(after place: OutputPlace, limit: Int = LiveOutput.limit) -> [OutputChunk] {
        let (chunks, credited) = state.withLock { $0.read(after: place, limit: limit) }
        if credited > 0 { credit(credited) }
        return chunks
    }

    /// Lets the command go on without its reader, if none has read for this long while something waits for one.
    func release(ifUnreadFor patience: Duration) {
        let credited = state.withLock { state in
            guard state.isFollowed, state.hasUnread, .now - state.lastRead >= patience else { return 0 }
            state.isFollowed = false
            return state.creditAll()
        }
        if credited > 0 { credit(credited) }
    }

    /// The last bytes, for the store.
    var tail: [OutputChunk] {
        state.withLock { state in
            var (left, tail) = (Self.tailLimit, [OutputChunk]())
            for held in state.held.reversed() where left > 0 {
                var chunk = held.chunk
                let cut = max(0, chunk.bytes.count - left)
                chunk.bytes.removeFirst(cut)
                chunk.offset += Int64(cut)
                left -= chunk.bytes.count
                tail.append(chunk)
            }
            return tail.reversed()
        }
    }
}

extension LiveOutput.State {
    fileprivate var hasUnread: Bool { held.contains { !$0.isCredited } }

    /// Returns the bytes that credit is due for.
    fileprivate mutating func append(_ chunk: OutputChunk) -> Int {
        // After a reconnect the agent may say again what was on its way.
        let known = end[chunk.stream]
        var fresh = chunk
        let again = min(Int64(chunk.bytes.count), max(0, known - chunk.offset))
        fresh.bytes.removeFirst(Int(again))
        fresh.offset += again
        guard !fresh.bytes.isEmpty else { return chunk.bytes.count }
        end[chunk.stream] = fresh.end
        if !hasUnread { lastRead = .now }
        held.append(LiveOutput.Held(chunk: fresh, isCredited: !isFollowed))
        bytes += fresh.bytes.count
        trim()
        return isFollowed ? Int(again) : chunk.bytes.count
    }

    fileprivate mutating func read(after place: OutputPlace, limit: Int) -> ([OutputChunk], Int) {
        lastRead = .now
        var (credited, chunks, taken) = (0, [OutputChunk](), 0)
        for index in held.indices {
            let chunk = held[index].chunk
            if chunk.end <= place[chunk.stream] {
                if !held[index].isCredited { credited += chunk.bytes.count }
                held[index].isCredited = true
            } else if taken < limit {
                var rest = chunk
                let known = max(0, place[chunk.stream] - chunk.offset)
                rest.bytes.removeFirst(Int(known))
                rest.offset += known
                taken += rest.bytes.count
                chunks.append(rest)
            }
        }
        trim()
        return (chunks, credited)
    }

    fileprivate mutating func creditAll() -> Int {
        var credited = 0
        for index in held.indices where !held[index].isCredited {
            credited += held[index].chunk.bytes.count
            held[index].isCredited = true
        }
        trim()
        return credited
    }

    /// The oldest go first: what was read, then, beyond all measure, what was not.
    private mutating func trim() {
        while bytes > LiveOutput.limit, let first = held.first,
            first.isCredited || bytes > LiveOutput.followedLimit
        {
            bytes -= first.chunk.bytes.count
            held.removeFirst()
        }
    }
}

extension OutputChunk {
    var json: JSONValue {
        ["stream": .string(stream.code), "offset": .integer(offset), "base64": .string(Base64.encode(bytes))]
    }

    /// Reads back what `json` made; nil for anything else.
    package init?(_ json: JSONValue) {
        guard let stream = json["stream"]?.asString, let offset = json["offset"]?.asInteger,
            let text = json["base64"]?.asString, let bytes = Base64.decode(text)
        else { return nil }
        self.init(stream: OutputStream(code: stream), offset: offset, bytes: bytes)
    }
}
