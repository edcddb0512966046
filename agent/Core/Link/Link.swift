import Logging
import Model
import NIOCore
import Transport
import WireProtocol

/// Who is told what comes over the link. All calls are made on the link's event loop.
protocol LinkListener: Actor {
    func sessionOpened(_ welcome: Welcome)
    func sessionClosed()
    func received(_ message: ControllerMessage)
    func outletReady()
}

/// The connection to the controller: dials, greets, keeps the session alive and dials again, as `Session` decides.
actor Link {
    private let loop: any EventLoop
    private let outlet: Outlet
    private let credentials: Credentials
    private let greeting: @Sendable () async throws -> Hello
    private let listeners: [any LinkListener]
    private let logger: Logger

    private var session = Session()
    private var channel: (any Channel)?
    /// Which connection an event belongs to: late events of an earlier one count for nothing.
    private var attempt = 0
    private var ticker: Scheduled<Void>?
    private var redial: Scheduled<Void>?
    private var failure: String?

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.executor.asUnownedSerialExecutor() }

    init(
        outlet: Outlet, credentials: Credentials, listeners: [any LinkListener], logger: Logger,
        greeting: @escaping @Sendable () async throws -> Hello
    ) {
        loop = outlet.loop
        self.outlet = outlet
        self.credentials = credentials
        self.listeners = listeners
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

    private func handle(_ event: Session.Event) {
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
    private func on<Listener: LinkListener>(_ listener: Listener, _ body: @Sendable (isolated Listener) -> Void) {
        listener.assumeIsolated { body($0) }
    }
}

extension Link {
    private func connect() {
        attempt += 1
        failure = nil
        let number = attempt
        let place = credentials.place
        let context: TLSContext
        do { context = try credentials.context() } catch { return refused("\(error)", number) }
        let tell: @Sendable (LinkHandler.Event) -> Void = { [weak self] event in
            self?.assumeIsolated { $0.happened(event, number) }
        }
        let connected = SecureClient.connect(host: place.host, port: place.port, on: loop, context: context) {
            channel in
            try channel.pipeline.syncOperations.addHandlers([LineDecoder(), LinkHandler(tell: tell)])
        }
        connected.whenComplete { [weak self] result in
            self?.assumeIsolated { link in
                switch result {
                case .success(let channel): link.secured(channel, number)
                case .failure(let error): link.refused("\(error)", number)
                }
            }
        }
    }

    private func secured(_ channel: any Channel, _ number: Int) {
        guard number == attempt else { return channel.close(promise: nil) }
        guard channel.isActive else { return refused("the channel closed", number) }
        self.channel = channel
        outlet.connect(channel)
        handle(.secured)
    }

    private func refused(_ reason: String, _ number: Int) {
        guard number == attempt else { return }
        failure = failure ?? reason
        ended()
    }

    private func greet() {
        restartTicker()
        let number = attempt
        Task {
            do {
                let hello = try await greeting()
                if number == attempt { outlet.write(.hello(hello)) }
            } catch {
                logger.error("the greeting could not be made", metadata: ["error": "\(error)"])
                if number == attempt { close("\(error)") }
            }
        }
    }

    private func happened(_ event: LinkHandler.Event, _ number: Int) {
        guard number == attempt else { return }
        switch event {
        case .message(.unknown(let type)): logger.warning("unknown message ignored", metadata: ["type": "\(type)"])
        case .message(let message): handle(.received(message))
        case .malformed(let error):
            outlet.write(.goodbye(Goodbye(answering: error)))
            close("the controller sent a malformed line: \(error)")
        case .writable: if outlet.isOpen { for listener in listeners { on(listener) { $0.outletReady() } } }
        case .failed(let reason): failure = failure ?? reason
        // A connection that never came up ends with its connect, not with its channel.
        case .closed: if channel != nil { ended() }
        }
    }

    private func close(_ reason: String) {
        failure = failure ?? reason
        channel?.close(promise: nil)
    }

    private func ended() {
        let wasOpen = outlet.isOpen
        outlet.close()
        channel = nil
        attempt += 1
        ticker?.cancel()
        if wasOpen { for listener in listeners { on(listener) { $0.sessionClosed() } } }
        handle(.closed)
    }

    private func retry(after wait: Duration) {
        let reason = failure ?? "the controller closed the connection"
        logger.warning("not connected", metadata: ["reason": "\(reason)", "retry_in": "\(wait)"])
        redial = loop.scheduleTask(in: TimeAmount(wait)) { [weak self] in self?.assumeIsolated { $0.handle(.start) } }
    }

    private func restartTicker() {
        ticker?.cancel()
        ticker = loop.scheduleTask(in: TimeAmount(session.interval)) { [weak self] in
            self?.assumeIsolated { link in
                link.handle(.tick)
                if link.channel != nil { link.restartTicker() }
            }
        }
    }
}
