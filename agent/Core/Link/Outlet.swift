package import NIOCore
package import WireProtocol

/// The way out to the controller: open while a session is, on one event loop.
///
/// What is sent while it is closed is not sent; whoever must be heard keeps it and sends it in the next session.
package final class Outlet: Sendable {
    private struct State {
        var channel: (any Channel)?
        var isOpen = false
        var buffer: [UInt8] = []
    }

    package let loop: any EventLoop
    private let state: NIOLoopBoundBox<State>

    package init(loop: any EventLoop) {
        self.loop = loop
        state = .makeBoxSendingValue(State(), eventLoop: loop)
    }

    /// A session is open.
    package var isOpen: Bool { state.value.isOpen }
    /// The session is open and takes more without growing a queue.
    package var isReady: Bool { state.value.isOpen && state.value.channel?.isWritable == true }

    func connect(_ channel: any Channel) { state.value.channel = channel }
    func open() { state.value.isOpen = true }
    func close() { (state.value.channel, state.value.isOpen) = (nil, false) }

    /// Sends a message of the session. Returns whether it was handed to the channel.
    @discardableResult
    package func send(_ message: AgentMessage) -> Bool { isOpen && write(message) }

    /// Sends a line that was encoded before, without its newline.
    @discardableResult
    package func send(line: [UInt8]) -> Bool {
        guard isOpen, let channel = state.value.channel, line.count <= ProtocolVersion.maximumLineBytes else {
            return false
        }
        var buffer = channel.allocator.buffer(capacity: line.count + 1)
        buffer.writeBytes(line)
        buffer.writeInteger(UInt8(ascii: "\n"))
        channel.writeAndFlush(buffer, promise: nil)
        return true
    }

    /// Writes before the session is open, too: the hello and the goodbye.
    @discardableResult
    func write(_ message: AgentMessage) -> Bool {
        guard let channel = state.value.channel else { return false }
        var bytes: [UInt8] = []
        swap(&bytes, &state.value.buffer)
        bytes.removeAll(keepingCapacity: bytes.capacity <= 64 << 10)
        message.encode(into: &bytes)
        defer { swap(&bytes, &state.value.buffer) }
        // A longer line would end the session at the other side, and again after each reconnect.
        guard bytes.count <= ProtocolVersion.maximumLineBytes else { return false }
        var buffer = channel.allocator.buffer(capacity: bytes.count + 1)
        buffer.writeBytes(bytes)
        buffer.writeInteger(UInt8(ascii: "\n"))
        channel.writeAndFlush(buffer, promise: nil)
        return true
    }
}
