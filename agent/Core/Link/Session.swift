package import WireProtocol

/// One side of the agent link, from the wish to be connected to the next one: event in, actions out.
///
/// It knows nothing of sockets. Times come from the caller's monotonic clock.
package struct Session: Sendable {
    package typealias Instant = ContinuousClock.Instant

    package enum Event: Sendable {
        case start
        /// The channel is up and both sides have proved who they are.
        case secured
        case received(ControllerMessage)
        /// The time that `interval` says has passed.
        case tick
        /// The channel is gone, or never came up.
        case closed
        /// The agent ends.
        case stop
    }

    package enum Action: Sendable, Hashable {
        case connect
        case greet
        case send(AgentMessage)
        case opened(Welcome)
        case deliver(ControllerMessage)
        /// Close the channel; the reason is for the log.
        case close(String)
        case retry(after: Duration)
    }

    private enum State {
        case down, connecting, greeting(since: Instant)
        case open(heard: Instant, beat: Int64)
        case closing, stopped
    }

    private static let greetingLimit = Duration.seconds(10)
    /// Whatever a controller asks for: a tick without a pause would take a processor for itself.
    private static let shortestBeat: Int64 = 100
    /// Silence of so many heartbeats means that the controller is gone.
    private static let silentBeats = 3
    /// A session of this length was good; the next attempt after it comes early.
    private static let healthy = Duration.seconds(30)

    private var state = State.down
    private var backoff: Backoff
    private var settings: Settings
    private var openedAt: Instant?
    private var isUnwelcome = false

    package init(settings: Settings = Settings(), backoff: Backoff = Backoff()) {
        (self.settings, self.backoff) = (settings, backoff)
    }

    package var isOpen: Bool { if case .open = state { true } else { false } }

    /// How long to wait before the next tick.
    package var interval: Duration { isOpen ? beat : Self.greetingLimit }

    private var beat: Duration { .milliseconds(max(settings.heartbeatMs, Self.shortestBeat)) }

    /// - Parameters:
    ///   - time: the wall clock in ms since 1970, for the heartbeat.
    ///   - chance: a random number of 0..<1, used when the channel has closed.
    package mutating func handle(_ event: Event, now: Instant, time: Int64, chance: Double) -> [Action] {
        switch (event, state) {
        case (.start, .down): return move(to: .connecting, [.connect])
        case (.secured, .connecting): return move(to: .greeting(since: now), [.greet])
        case (.received(let message), .greeting): return greeting(message, now)
        case (.received(let message), .open(_, let beat)):
            state = .open(heard: now, beat: beat)
            return opened(message)
        case (.tick, .greeting(let since)) where now - since >= Self.greetingLimit:
            return end(.timeout, "the controller sent no welcome")
        case (.tick, .open(let heard, let beat)): return tick(heard, beat, now, time)
        case (.closed, .stopped), (.closed, .down): return []
        case (.closed, _): return closed(now, chance)
        case (.stop, .open), (.stop, .greeting):
            return move(to: .stopped, [.send(goodbye(.shutdown, "the agent ends")), .close("the agent ends")])
        case (.stop, _): return move(to: .stopped, [.close("the agent ends")])
        default: return []
        }
    }

    private mutating func greeting(_ message: ControllerMessage, _ now: Instant) -> [Action] {
        switch message {
        case .welcome(let welcome):
            guard ProtocolVersion.supported.contains(welcome.protocol) else {
                return end(.protocol, "the controller chose version \(welcome.protocol) of the protocol")
            }
            settings = welcome.settings
            openedAt = now
            return move(to: .open(heard: now, beat: 0), [.opened(welcome)])
        case .goodbye(let goodbye): return left(goodbye)
        case .heartbeat, .unknown: return []
        default: return end(.protocol, "the controller sent a message before its welcome")
        }
    }

    private mutating func opened(_ message: ControllerMessage) -> [Action] {
        switch message {
        case .heartbeat: return []
        case .goodbye(let goodbye): return left(goodbye)
        case .welcome, .enrolled: return end(.protocol, "the controller sent a message out of turn")
        case .reconfigure(let settings):
            self.settings = settings
            return [.deliver(message)]
        case .command, .cancel, .input, .window, .ack, .certificate, .unknown: return [.deliver(message)]
        }
    }

    private mutating func tick(_ heard: Instant, _ beat: Int64, _ now: Instant, _ time: Int64) -> [Action] {
        guard now - heard < self.beat * Self.silentBeats else {
            return end(.timeout, "the controller was silent for too long")
        }
        let heartbeat = AgentMessage.heartbeat(Heartbeat(seq: beat + 1, time: time))
        return move(to: .open(heard: heard, beat: beat + 1), [.send(heartbeat)])
    }

    private mutating func left(_ goodbye: Goodbye) -> [Action] {
        isUnwelcome = !goodbye.retry
        return move(to: .closing, [.close("the controller said goodbye (\(goodbye.code)): \(goodbye.message)")])
    }

    private mutating func closed(_ now: Instant, _ chance: Double) -> [Action] {
        if isUnwelcome { backoff.slowDown() } else if let openedAt, now - openedAt >= Self.healthy { backoff.reset() }
        (isUnwelcome, openedAt) = (false, nil)
        return move(to: .down, [.retry(after: backoff.next(chance: chance))])
    }

    private mutating func end(_ code: GoodbyeCode, _ reason: String) -> [Action] {
        move(to: .closing, [.send(goodbye(code, reason)), .close(reason)])
    }

    private func goodbye(_ code: GoodbyeCode, _ message: String) -> AgentMessage {
        .goodbye(Goodbye(code: code, message: message, retry: true))
    }

    private mutating func move(to state: State, _ actions: [Action]) -> [Action] {
        self.state = state
        return actions
    }
}
