import Logging
import Model
import NIOCore
import Transport
import WireProtocol

extension Link {
    func connect() {
        attempt += 1
        failure = nil
        let number = attempt
        let tell: @Sendable (LinkHandler.Event) -> Void = { [weak self] event in
            self?.assumeIsolated { $0.happened(event, number) }
        }
        let connected: EventLoopFuture<any Channel>
        do {
            connected = try dial(loop) { channel in
                try channel.pipeline.syncOperations.addHandlers([LineDecoder(), LinkHandler(tell: tell)])
            }
        } catch { return refused("\(error)", number) }
        connected.whenComplete { [weak self] result in
            self?.assumeIsolated { link in
                switch result {
                case .success(let channel): link.secured(channel, number)
                case .failure(let error): link.refused(ConnectionReason.text(error), number)
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

    func greet() {
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

    func close(_ reason: String) {
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

    func retry(after wait: Duration) {
        let reason = failure ?? "the controller closed the connection"
        logger.warning(
            "not connected", metadata: ["reason": "\(reason)", "retry_in": "\(wait.wholeMilliseconds / 1000) s"])
        redial = loop.scheduleTask(in: TimeAmount(wait)) { [weak self] in self?.assumeIsolated { $0.handle(.start) } }
    }

    func restartTicker() {
        ticker?.cancel()
        ticker = loop.scheduleTask(in: TimeAmount(session.interval)) { [weak self] in
            self?.assumeIsolated { link in
                link.handle(.tick)
                if link.channel != nil { link.restartTicker() }
            }
        }
    }
}
