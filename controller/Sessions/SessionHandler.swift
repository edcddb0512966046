import Logging
import Model
package import NIOCore
package import Transport
import WireProtocol

/// One enrolled agent's connection: lines in, messages to the fleet and to ingestion.
///
/// Runs on its event loop; whatever needs the store is a task that comes back to the loop.
final class SessionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let sessions: SessionManager
    private let certificate: Certificate
    private var rules: SessionRules
    private var session: AgentSession?
    private var ingest: Ingest?
    private var watch: RepeatedTask?
    private var openedAt = NIODeadline.now()
    /// Types of later versions that were noted in the log: each once, and not more than a few.
    private var unknownTypes: Set<String> = []
    private static let maximumUnknownTypes = 8

    init(sessions: SessionManager, certificate: Certificate, node: String) {
        self.sessions = sessions
        self.certificate = certificate
        rules = SessionRules(node: node)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        openedAt = .now()
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        watch = context.eventLoop.scheduleRepeatedTask(initialDelay: .seconds(5), delay: .seconds(5)) { _ in
            let (handler, context) = bound.value
            handler.checkSilence(context)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        watch?.cancel()
        watch = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // Lines that came along with the one that ended the session are not even parsed.
        guard rules.state != .closing else { return }
        let line = unwrapInboundIn(data)
        session?.noteHeard()
        do {
            let verdict = rules.receive(try AgentMessage(decoding: line.readableBytesView))
            act(on: verdict, context, bytes: line.readableBytes)
        } catch {
            act(on: rules.refuse(.malformed, "\(error)"), context)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if let session { sessions.closed(session) }
        session = nil
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // An agent that has ended its side has nothing to hear any more.
        if event as? ChannelEvent == .inputClosed { return context.close(promise: nil) }
        guard event is PeerDoesNotRead else { return context.fireUserInboundEventTriggered(event) }
        guard rules.state != .closing else { return }
        act(on: rules.refuse(.overload, "more waits for the agent than it may: it does not read"), context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if error is LineError {
            guard rules.state != .closing else { return }
            act(on: rules.refuse(.malformed, "\(error)"), context)
            return
        }
        sessions.logger.debug("link failed", metadata: ["node": "\(rules.node)", "error": "\(error)"])
        context.close(promise: nil)
    }

    private func act(on verdict: SessionRules.Verdict, _ context: ChannelHandlerContext, bytes: Int = 0) {
        switch verdict {
        case .judge(let hello): judge(hello, context)
        case .deliver(let message): deliver(message, bytes: bytes, context)
        case .ignore(let type): noteUnknown(type)
        case .drop: break
        case .ended(let goodbye):
            sessions.logger.info(
                "agent said goodbye", metadata: ["node": "\(rules.node)", "code": "\(goodbye.code.code)"])
            if let session { sessions.departed(session) }
            context.close(promise: nil)
        case .refuse(let goodbye): part(goodbye, context)
        }
    }

    private func noteUnknown(_ type: String) {
        let name = String(decoding: type.utf8.prefix(64), as: UTF8.self)
        guard unknownTypes.count < Self.maximumUnknownTypes, unknownTypes.insert(name).inserted else { return }
        sessions.logger.notice("unknown message ignored", metadata: ["node": "\(rules.node)", "type": "\(name)"])
    }

    private func part(_ goodbye: Goodbye, _ context: ChannelHandlerContext) {
        sessions.logger.warning(
            "link refused",
            metadata: [
                "node": "\(rules.node)", "code": "\(goodbye.code.code)", "reason": "\(goodbye.message.prefix(200))",
            ])
        context.writeLine(.goodbye(goodbye))
        context.close(promise: nil)
    }

    /// Reading stops while `hello` is judged, so an impatient peer costs nothing.
    private func judge(_ hello: Hello, _ context: ChannelHandlerContext) {
        let channel = context.channel
        let candidate = AgentSession(
            identity: AgentSession.Identity(
                session: Identifier.make("ses"), node: rules.node, boot: hello.boot, started: hello.started,
                certificateSerial: certificate.serial, remote: channel.remoteAddress?.plainAddress ?? "unknown"),
            channel: channel)
        channel.setOption(.autoRead, value: false).whenComplete { _ in }
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let sessions = self.sessions
        context.eventLoop.makeFutureWithTask { await sessions.judge(hello, candidate) }.whenSuccess { answer in
            let (handler, context) = bound.value
            handler.answer(answer, candidate, hello.spool.epoch, context)
        }
    }

    private func answer(
        _ answer: SessionManager.Answer, _ candidate: AgentSession, _ journal: String, _ context: ChannelHandlerContext
    ) {
        switch answer {
        case .welcome(let welcome):
            // It may have left or been refused while it was judged.
            guard context.channel.isActive, rules.state == .judging else {
                sessions.closed(candidate)
                return
            }
            rules.admitted()
            session = candidate
            ingest = sessions.ingest(for: candidate, journal: journal)
            candidate.send(.welcome(welcome))
            sessions.opened(candidate)
            candidate.judged()
        case .refuse(let goodbye):
            guard rules.state == .judging else { return }
            act(on: rules.refuse(goodbye.code, goodbye.message, retry: goodbye.retry), context)
        }
    }

    private func deliver(_ message: AgentMessage, bytes: Int, _ context: ChannelHandlerContext) {
        guard let session else { return }
        switch message {
        case .heartbeat(let beat):
            session.send(.heartbeat(Heartbeat(seq: beat.seq, time: Timestamp.now().milliseconds)))
        case .result(let result): sessions.results.take(result, bytes: bytes, from: session)
        case .renew(let renewal): sessions.renew(renewal, session)
        case .accepted, .progress, .output, .consumed:
            if !sessions.fleet.received(message, from: session) {
                act(on: rules.refuse(.protocol, "more output was sent than credit was given"), context)
            }
        case .metrics, .series, .usage, .event, .gap, .inventory, .drivers: ingest?.take(message, bytes: bytes)
        case .hello, .enrol, .goodbye, .unknown: break
        }
    }

    private func checkSilence(_ context: ChannelHandlerContext) {
        guard rules.state != .closing else { return }
        let silent: Bool
        if let session {
            silent = ContinuousClock.now - session.lastHeard >= sessions.silence
        } else {
            silent = NIODeadline.now() - openedAt > .seconds(10)
        }
        if silent { act(on: rules.refuse(.timeout, "nothing was heard for too long"), context) }
    }
}

extension SessionManager {
    /// Speaks with the node on a channel whose other end has proved that it is the node. Call it on the event loop.
    package func serve(_ channel: any Channel, certificate: Certificate, node: String) throws {
        try channel.pipeline.syncOperations.addHandlers([
            LineDecoder(), SessionHandler(sessions: self, certificate: certificate, node: node),
        ])
    }
}

extension ChannelHandlerContext {
    /// Writes one message as a line, from its event loop.
    func writeLine(_ message: ControllerMessage) {
        var bytes: [UInt8] = []
        message.encode(into: &bytes)
        var buffer = channel.allocator.buffer(capacity: bytes.count + 1)
        buffer.writeBytes(bytes)
        buffer.writeInteger(UInt8(ascii: "\n"))
        writeAndFlush(NIOAny(buffer), promise: nil)
    }
}
