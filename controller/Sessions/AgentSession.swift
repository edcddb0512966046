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

    package let identity: Identity
    package let openedAt: ContinuousClock.Instant
    private let channel: any Channel
    private let pendingBytes = Atomic<Int>(0)
    private let heardAt: Mutex<ContinuousClock.Instant>

    package init(identity: Identity, channel: any Channel) {
        self.identity = identity
        self.channel = channel
        openedAt = .now
        heardAt = Mutex(.now)
    }

    package var node: String { identity.node }

    /// When the last byte of the peer arrived.
    package var lastHeard: ContinuousClock.Instant { heardAt.withLock { $0 } }

    func noteHeard() { heardAt.withLock { $0 = .now } }

    /// Writes one message. A peer that does not read loses its session instead of growing our memory.
    package func send(_ message: ControllerMessage) {
        var bytes: [UInt8] = []
        message.encode(into: &bytes)
        let count = bytes.count + 1
        guard pendingBytes.add(count, ordering: .relaxed).newValue <= Self.maximumPendingBytes else {
            channel.close(promise: nil)
            return
        }
        var buffer = channel.allocator.buffer(capacity: count)
        buffer.writeBytes(bytes)
        buffer.writeInteger(UInt8(ascii: "\n"))
        channel.writeAndFlush(buffer).whenComplete { [self] _ in
            pendingBytes.subtract(count, ordering: .relaxed)
        }
    }

    /// Says why, then closes.
    package func close(_ code: GoodbyeCode, _ message: String, retry: Bool) {
        send(.goodbye(Goodbye(code: code, message: message, retry: retry)))
        channel.close(promise: nil)
    }

    /// Stops and restarts reading: the back-pressure of ingestion.
    func setReading(_ reading: Bool) {
        channel.setOption(.autoRead, value: reading).whenSuccess { [channel] in
            if reading { channel.read() }
        }
    }
}
