import Logging
import Model
package import NIOCore
import WireProtocol

/// Who is told what comes over the link. All calls are made on the link's event loop.
protocol LinkListener: Actor {
    func sessionOpened(_ welcome: Welcome)
    func sessionClosed()
    func received(_ message: ControllerMessage)
    func outletReady()
}

/// Makes a connection on the event loop: `prepare` puts the handlers into its channel, then both sides prove who they are.
package typealias Dial =
    @Sendable (
        _ loop: any EventLoop, _ prepare: @escaping @Sendable (any Channel) throws -> Void
    ) throws -> EventLoopFuture<any Channel>

/// The connection to the controller: dials, greets, keeps the session alive and dials again, as `Session` decides.
actor Link {
    let loop: any EventLoop
    let outlet: Outlet
    let dial: Dial
    let greeting: @Sendable () async throws -> Hello
    let listeners: [any LinkListener]
    let logger: Logger

    var session: Session
    var channel: (any Channel)?
    /// Which connection an event belongs to: late events of an earlier one count for nothing.
    var attempt = 0
    var ticker: Scheduled<Void>?
    var redial: Scheduled<Void>?
    var failure: String?

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.executor.asUnownedSerialExecutor() }

    init(
        outlet: Outlet, dial: @escaping Dial, listeners: [any LinkListener], backoff: Backoff, logger: Logger,
        greeting: @escaping @Sendable () async throws -> Hello
    ) {
        loop = outlet.loop
        self.outlet = outlet
        self.dial = dial
        self.listeners = listeners
        session = Session(backoff: backoff)
        self.logger = logger
        self.greeting = greeting
    }

    func start() { handle(.start) }

    /// Says goodbye and does not dial again.
    func stop() async {
        redial?.cancel()
        let closing = channel?.closeFuture
        if closing == nil { attempt += 1 }
        handle(.stop)
        // A controller that does not end its side must not keep the agent from ending.
        try? await closing?.get()
    }

    func handle(_ event: Session.Event) {
        let chance = Double.random(in: 0..<1)
        let time = Timestamp.now().milliseconds
        for action in session.handle(event, now: .now, time: time, chance: chance) { act(action) }
    }

    private func act(_ action: Session.Action) {
        switch action {
        case .connect: connect()
        case .greet: greet()
        case .send(let message): outlet.write(message)
        case .opened(let welcome): opened(welcome)
        case .deliver(let message): for listener in listeners { on(listener) { $0.received(message) } }
        case .close(let reason): close(reason)
        case .retry(let wait): retry(after: wait)
        }
    }

    private func opened(_ welcome: Welcome) {
        outlet.open()
        logger.info("connected", metadata: ["session": "\(welcome.session)"])
        let skew = welcome.time - Timestamp.now().milliseconds
        if abs(skew) > 30_000 { logger.warning("the clocks differ", metadata: ["controller_ahead_ms": "\(skew)"]) }
        for listener in listeners { on(listener) { $0.sessionOpened(welcome) } }
        restartTicker()
    }

    /// The listeners live on the same event loop, so a call is a call and keeps its place in the order of lines.
    func on<Listener: LinkListener>(_ listener: Listener, _ body: @Sendable (isolated Listener) -> Void) {
        listener.assumeIsolated { body($0) }
    }
}
