import Glibc
package import Model
package import NIOCore
package import Synchronization
package import Transport
import WireProtocol

/// What all agents of a fleet count together.
package final class Tally: Sendable {
    package let welcomed = Atomic<Int>(0)
    package let acknowledgedLines = Atomic<Int>(0)
    package let goodbyes = Atomic<Int>(0)
    package let failures = Atomic<Int>(0)
    package let commands = Atomic<Int>(0)

    package init() {}
}

/// A simulated node and its link, which comes and goes: real TLS, real lines.
package final class SimulatedAgent: Sendable {
    /// How a link ends.
    package enum Cut: CaseIterable, Sendable {
        /// A reset without a word.
        case reset
        /// TLS and TCP are closed in order, without a goodbye.
        case close
        case goodbye
    }

    package let id: String
    let tally: Tally
    private let state: Mutex<State>
    private let context: TLSContext

    fileprivate struct State {
        var node: SimulatedNode
        var channel: (any Channel)?
        /// Lines that may be unacknowledged while it says as many as the controller takes; nil says only what it is asked.
        var flood: Int?
        var floodTime = Timestamp.now() - .seconds(3600)
    }

    package init(_ node: SimulatedNode, context: TLSContext, tally: Tally) {
        id = node.id
        self.context = context
        self.tally = tally
        state = Mutex(State(node: node))
    }

    /// The node as it is now.
    package var node: SimulatedNode { state.withLock { $0.node } }
    package var isLinked: Bool { state.withLock { $0.channel != nil } }

    /// Dials and says hello. The welcome comes later.
    package func connect(host: String = "127.0.0.1", port: Int, on group: any EventLoopGroup) async throws {
        _ = try await SecureClient.connect(
            host: host, port: port, on: group, context: context, connectLimit: .seconds(30)
        ) { channel in
            try channel.pipeline.syncOperations.addHandlers([LineDecoder(), SimulatedLink(agent: self)])
        }.get()
    }

    /// The hello of a new link; nil when there is a link already.
    func linked(_ channel: any Channel) -> AgentMessage? {
        state.withLock { state in
            guard state.channel == nil else { return nil }
            state.channel = channel
            return .hello(state.node.hello())
        }
    }

    func unlinked(_ channel: any Channel) {
        state.withLock { state in
            guard state.channel === channel else { return }
            state.channel = nil
            state.node.parted()
        }
    }

    package func cut(_ cut: Cut) {
        guard let channel = state.withLock({ $0.channel }) else { return }
        switch cut {
        case .reset:
            let unset = channel.eventLoop.makeSucceededVoidFuture()
            let done = (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0)) ?? unset
            done.whenComplete { _ in channel.close(mode: .all, promise: nil) }
        case .close: channel.close(promise: nil)
        case .goodbye:
            say([.goodbye(Goodbye(code: .shutdown, message: "shutting down", retry: true))])
            channel.close(promise: nil)
        }
    }

    /// A stalled peer neither reads nor answers.
    package func setReading(_ isReading: Bool) {
        state.withLock { $0.channel }?.setOption(.autoRead, value: isReading).whenComplete { _ in }
    }

    package func heartbeat() { say(state.withLock { $0.channel == nil ? [] : [$0.node.heartbeat()] }) }
    package func sample(at time: Timestamp) { say(state.withLock { $0.node.sample(at: time) }) }

    /// Sends as many samples as the controller stores, `window` of them unacknowledged, until `window` is nil.
    package func flood(window: Int?) {
        say(
            state.withLock { state in
                state.flood = window
                return state.fill()
            })
    }

    func receive(_ message: ControllerMessage) -> [AgentMessage] {
        state.withLock { state in
            let before = state.node.waiting
            let answers = state.node.receive(message)
            count(message, stored: before - state.node.waiting)
            return answers + state.fill()
        }
    }

    func result(of command: String) -> [AgentMessage] { state.withLock { $0.node.result(of: command) } }

    private func count(_ message: ControllerMessage, stored: Int) {
        switch message {
        case .welcome: tally.welcomed.add(1, ordering: .relaxed)
        case .ack: tally.acknowledgedLines.add(stored, ordering: .relaxed)
        case .command: tally.commands.add(1, ordering: .relaxed)
        case .goodbye: tally.goodbyes.add(1, ordering: .relaxed)
        default: break
        }
    }

    private func say(_ messages: [AgentMessage]) {
        guard !messages.isEmpty, let channel = state.withLock({ $0.channel }) else { return }
        let bytes = messages.flatMap { $0.line() }
        channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
    }
}

extension SimulatedAgent.State {
    fileprivate mutating func fill() -> [AgentMessage] {
        guard let flood else { return [] }
        var messages: [AgentMessage] = []
        while node.waiting < flood {
            floodTime = floodTime + .seconds(1)
            messages += node.sample(at: floodTime)
        }
        return messages
    }
}
