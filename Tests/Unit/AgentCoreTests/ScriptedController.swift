import AgentCore
import Model
import NIOCore
import NIOPosix
import Synchronization
import Testing
import TestSupport
import Transport
import WireProtocol

/// A controller that does what the test says: real TLS on a real port, every line kept.
final class ScriptedController: Sendable {
    let authority: CertificateAuthority
    let address: String
    private let listener: any Channel
    private let state: Mutex<State>

    private struct State {
        var lines: [AgentMessage] = []
        var channel: (any Channel)?
        var sessions = 0
        var greets = true
        // Three seconds of silence: a busy machine is no reason to end a session.
        var settings = Settings(heartbeatMs: 1000, sampleMs: 100, inventoryMs: 60_000)
        var stored = Positions()
        var acknowledges = false
        var grant: (@Sendable (CertificateRenewal) throws -> CertificateGrant)?
        /// Serial numbers of the certificates that came, one a connection.
        var peers: [String] = []
        var enrolment: (@Sendable (EnrolmentRequest) -> ControllerMessage)?
    }

    init() async throws {
        let now = Timestamp.now().milliseconds
        let authority = try CertificateAuthority.create(commonName: "Test", days: 10, now: now)
        let key = try PrivateKey.generate()
        let names = ["127.0.0.1", "controller.test"]
        let leaf = try authority.issueServer(key: key, names: names, validity: .seconds(86_400), now: now)
        let context = try TLSContext(
            server: TLSServerConfiguration(
                identity: try TLSIdentity(chain: [leaf, authority.certificate], key: key),
                services: [
                    .init(ProtocolVersion.alpn, clientCertificate: .required),
                    .init(ProtocolVersion.enrolmentALPN, clientCertificate: .none),
                ], clientAuthority: authority.certificate))
        let box = Hook()
        listener = try await SecureServer.bind(
            host: "127.0.0.1", port: 0, on: MultiThreadedEventLoopGroup.singleton, context: { context },
            initializer: { channel in
                try channel.pipeline.syncOperations.addHandlers([LineDecoder(), LineCollector(box)])
            }
        ).get()
        self.authority = authority
        address = "127.0.0.1:\(listener.localAddress?.port ?? 0)"
        state = Mutex(State())
        box.set(self)
    }

    deinit { listener.close(promise: nil) }

    var lines: [AgentMessage] { state.withLock { $0.lines } }
    var sessions: Int { state.withLock { $0.sessions } }

    func set(settings: Settings) { state.withLock { $0.settings = settings } }
    func set(stored: Positions) { state.withLock { $0.stored = stored } }
    func greet(_ greets: Bool) { state.withLock { $0.greets = greets } }
    /// Says now and then that events are stored, and at once that usage is.
    func acknowledgeReports() { state.withLock { $0.acknowledges = true } }
    func answerRenewal(_ answer: @escaping @Sendable (CertificateRenewal) throws -> CertificateGrant) {
        state.withLock { $0.grant = answer }
    }
    var peers: [String] { state.withLock { $0.peers } }
    fileprivate func connected(_ peer: Certificate) { state.withLock { $0.peers.append(peer.serial) } }

    func answerEnrolment(_ answer: @escaping @Sendable (EnrolmentRequest) -> ControllerMessage) {
        state.withLock { $0.enrolment = answer }
    }

    func send(_ message: ControllerMessage) { send(raw: message.line()) }

    func send(raw bytes: [UInt8]) {
        state.withLock { $0.channel }?.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
    }

    /// Ends the connection of now.
    func cut() { state.withLock { $0.channel }?.close(promise: nil) }

    func forgetLines() { state.withLock { $0.lines = [] } }

    fileprivate func received(_ message: AgentMessage, on channel: any Channel) {
        let answer: ControllerMessage? = state.withLock { state in
            state.lines.append(message)
            switch message {
            case .hello:
                state.channel = channel
                state.sessions += 1
                guard state.greets else { return nil }
                return .welcome(
                    Welcome(
                        session: "s\(state.sessions)", settings: state.settings,
                        time: Timestamp.now().milliseconds, ack: state.stored))
            case .heartbeat(let beat): return .heartbeat(beat)
            case .enrol(let request): return state.enrolment?(request)
            case .renew(let renewal): return (try? state.grant?(renewal)).map { .certificate($0) }
            case .event(let event) where state.acknowledges && event.seq % 64 == 0:
                return .ack(Acknowledgement(events: event.seq))
            case .usage(let usage) where state.acknowledges: return .ack(Acknowledgement(usage: usage.seq))
            default: return nil
            }
        }
        if let answer { channel.writeAndFlush(ByteBuffer(bytes: answer.line()), promise: nil) }
    }

    /// Waits until the lines so far give a value.
    func wait<Value>(
        _ what: String, _ find: ([AgentMessage]) -> Value?, at location: SourceLocation = #_sourceLocation
    ) async throws -> Value {
        try await eventually(what, at: location) { find(self.lines) }
    }

    func result(
        of id: String, after count: Int = 0, at location: SourceLocation = #_sourceLocation
    ) async throws -> CommandResult {
        try await wait("the result of \(id)", { $0.results(of: id).dropFirst(count).first }, at: location)
    }

    func waitForSession(_ number: Int = 1, at location: SourceLocation = #_sourceLocation) async throws {
        _ = try await eventually("session \(number)", at: location) { self.sessions >= number ? true : nil }
    }
}

/// Waits for something that must come: tests fail by what is missing, never by a clock that is too tight.
func eventually<Value>(
    _ what: String, within limit: Duration = .seconds(30), at location: SourceLocation = #_sourceLocation,
    _ find: () async throws -> Value?
) async throws -> Value {
    let end = ContinuousClock.now + limit
    while .now < end {
        if let value = try await find() { return value }
        try await Task.sleep(for: .milliseconds(5))
    }
    throw SetupFailure("\(what) did not come (\(location.fileID):\(location.line))")
}

extension [AgentMessage] {
    func results(of id: String) -> [CommandResult] {
        compactMap { if case .result(let result) = $0, result.id == id { result } else { nil } }
    }

    func accepted(_ id: String) -> [Accepted] {
        compactMap { if case .accepted(let accepted) = $0, accepted.id == id { accepted } else { nil } }
    }

    func outputs(of id: String) -> [Output] {
        compactMap { if case .output(let output) = $0, output.id == id { output } else { nil } }
    }

    var metrics: [Metrics] { compactMap { if case .metrics(let metrics) = $0 { metrics } else { nil } } }
    var usages: [WireProtocol.Usage] { compactMap { if case .usage(let usage) = $0 { usage } else { nil } } }
    var events: [NodeEvent] { compactMap { if case .event(let event) = $0 { event } else { nil } } }
    var hellos: [Hello] { compactMap { if case .hello(let hello) = $0 { hello } else { nil } } }
    var inventories: [Inventory] { compactMap { if case .inventory(let inventory) = $0 { inventory } else { nil } } }
    var gaps: [Gap] { compactMap { if case .gap(let gap) = $0 { gap } else { nil } } }
}

private final class Hook: Sendable {
    private struct Weak { weak var controller: ScriptedController? }
    private let box = Mutex(Weak(controller: nil))

    func set(_ controller: ScriptedController) { box.withLock { $0 = Weak(controller: controller) } }
    var controller: ScriptedController? { box.withLock { $0.controller } }
}

private final class LineCollector: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let hook: Hook

    init(_ hook: Hook) { self.hook = hook }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let message = try? AgentMessage(decoding: unwrapInboundIn(data).readableBytesView) else {
            Issue.record("the agent sent a line that is no message")
            return
        }
        hook.controller?.received(message, on: context.channel)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let peer = (event as? TLSHandshakeCompleted)?.peer { hook.controller?.connected(peer) }
        if case ChannelEvent.inputClosed? = event as? ChannelEvent { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
