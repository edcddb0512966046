package import NIOCore
import Synchronization
package import WireProtocol

/// One live connection of an enrolled node, as the fleet sees it. Safe to use from any thread.
package final class AgentSession: Sendable {
    package struct Identity: Sendable, Hashable {
        package var session: String
        package var node: String
        /// The kernel's boot id and the start of the agent process: together they tell one agent from a clone of it.
        package var boot: String
        package var started: Int64
        package var certificateSerial: String
        package var remote: String

        package init(
            session: String, node: String, boot: String, started: Int64, certificateSerial: String, remote: String
        ) {
            self.session = session
            self.node = node
            self.boot = boot
            self.started = started
            self.certificateSerial = certificateSerial
            self.remote = remote
        }
    }

    /// More than this waiting for a peer that does not read ends its session.
    static let maximumPendingBytes = 8 << 20
    /// What a message costs in memory beside its bytes while it waits: many small ones must not cost more than few large.
    static let messageOverhead = 512
    /// More than this received and not yet dealt with stops the reading until half of it is done.
    static let maximumBacklog = 1 << 20

    private struct Backlog {
        var bytes = 0
        var isJudged = false
        var isPaused = false
        var reads: Bool { isJudged && !isPaused }
    }

    package let identity: Identity
    package let openedAt: ContinuousClock.Instant
    private let channel: any Channel
    private let pendingBytes = Atomic<Int>(0)
    private let isClosed = Atomic<Bool>(false)
    private let heardAt: Mutex<ContinuousClock.Instant>
    private let backlog = Mutex(Backlog())

    package init(identity: Identity, channel: any Channel) {
        self.identity = identity
        self.channel = channel
        openedAt = .now
        heardAt = Mutex(.now)
        channel.closeFuture.whenComplete { [weak self] _ in self?.isClosed.store(true, ordering: .releasing) }
    }

    package var node: String { identity.node }

    /// When the last byte of the peer arrived.
    package var lastHeard: ContinuousClock.Instant { heardAt.withLock { $0 } }

    func noteHeard() { heardAt.withLock { $0 = .now } }

    /// Writes one message. A peer that does not read loses its session instead of growing our memory.
    package func send(_ message: ControllerMessage) {
        // Late answers for a peer that has gone; its event loop may have ended by then, too.
        guard channel.isActive else { return }
        var bytes: [UInt8] = []
        message.encode(into: &bytes)
        let count = bytes.count + Self.messageOverhead
        guard pendingBytes.add(count, ordering: .relaxed).newValue <= Self.maximumPendingBytes else {
            channel.pipeline.fireUserInboundEventTriggered(PeerDoesNotRead())
            return
        }
        var buffer = channel.allocator.buffer(capacity: bytes.count + 1)
        buffer.writeBytes(bytes)
        buffer.writeInteger(UInt8(ascii: "\n"))
        onLoop { [self, buffer] in
            channel.writeAndFlush(buffer).whenComplete { [self] _ in
                pendingBytes.subtract(count, ordering: .relaxed)
            }
        }
    }

    /// What the store answers may come when the listener and its loops have ended already: nobody is there to be told.
    private func onLoop(_ work: @escaping @Sendable () -> Void) {
        guard !isClosed.load(ordering: .acquiring) else { return }
        if channel.eventLoop.inEventLoop { work() } else { channel.eventLoop.execute(work) }
    }

    /// Says why, then closes.
    package func close(_ code: GoodbyeCode, _ message: String, retry: Bool) {
        send(.goodbye(Goodbye(code: code, message: message, retry: retry)))
        channel.close(promise: nil)
    }

    /// Nothing is read before the hello is judged.
    func judged() { change { $0.isJudged = true } }

    /// Counts what the peer sent and somebody has to deal with; `settle` it when that is done.
    func owe(_ bytes: Int) {
        change { backlog in
            backlog.bytes += bytes
            if backlog.bytes > Self.maximumBacklog { backlog.isPaused = true }
        }
    }

    func settle(_ bytes: Int) {
        change { backlog in
            backlog.bytes -= bytes
            if backlog.bytes <= Self.maximumBacklog / 2 { backlog.isPaused = false }
        }
    }

    private func change(_ body: (inout Backlog) -> Void) {
        let isTurned = backlog.withLock { backlog in
            let before = backlog.reads
            body(&backlog)
            return before != backlog.reads
        }
        guard isTurned, !isClosed.load(ordering: .acquiring) else { return }
        // Looked up again on the loop: two turns in quick succession must not be carried out in the wrong order.
        channel.eventLoop.execute { [self] in
            let reads = backlog.withLock { $0.reads }
            channel.setOption(.autoRead, value: reads).whenSuccess { [channel] in
                if reads { channel.read() }
            }
        }
    }
}

/// More waits for the peer than it may: its session ends.
struct PeerDoesNotRead: Sendable {}
