import Glibc
import NIOCore

/// Two channels that are one connection. Lives on the proxy's event loop.
final class Connection {
    let number: Int
    private let client: any Channel
    private let server: any Channel
    /// Which lets go of a connection when that closes.
    private let exchange: Exchange
    private(set) var isOpen = true
    private(set) var up: Conveyor?
    private(set) var down: Conveyor?

    init(_ number: Int, _ client: any Channel, _ server: any Channel, _ faults: [Fault], _ exchange: Exchange) {
        (self.number, self.client, self.server, self.exchange) = (number, client, server, exchange)
        up = Conveyor(.up, client, server, faults, self)
        down = Conveyor(.down, server, client, faults, self)
        for fault in faults { if case .expire(let wait) = fault.kind { expire(after: wait, fault) } }
    }

    func struck(_ fault: Fault, _ passed: Int) { exchange.struck(fault, number, passed) }

    /// Nothing passes any more; both sides wait.
    func swallow() {
        up?.swallow()
        down?.swallow()
    }

    func fallSilent(_ milliseconds: Int) { exchange.fallSilent(milliseconds) }

    /// What was handed on arrives, then the end.
    func end() {
        finish { channel in
            channel.endAfterWrites()
            // Not at once: a socket that is closed with bytes unread resets, and the peer loses what it was sent.
            channel.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(200)) { channel.close(promise: nil) }
        }
    }

    func reset() {
        finish { channel in
            // With no time to linger, closing is resetting.
            let option = (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
            option?.whenComplete { _ in channel.close(promise: nil) }
        }
    }

    private func finish(_ close: (any Channel) -> Void) {
        guard isOpen else { return }
        isOpen = false
        for channel in [client, server] { close(channel) }
        (up, down) = (nil, nil)
        exchange.closed(self)
    }

    private func expire(after milliseconds: Int, _ fault: Fault) {
        client.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(Int64(milliseconds))) { [weak self] in
            guard let self, isOpen else { return }
            struck(fault, 0)
            reset()
        }
    }
}

extension Channel {
    /// Ends the stream to the peer once everything before has been written; closing by itself would throw that away.
    func endAfterWrites() {
        let written = eventLoop.makePromise(of: Void.self)
        written.futureResult.whenComplete { _ in self.close(mode: .output, promise: nil) }
        writeAndFlush(ByteBuffer(), promise: written)
    }
}
