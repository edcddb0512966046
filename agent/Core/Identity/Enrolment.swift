package import DaemonKit
import Glibc
import Model
import NIOCore
import NIOPosix
import Transport
import WireProtocol

/// Makes this machine a node: a key of its own, a request signed by it, and the certificate that the controller gives for
/// a join token.
///
/// The key is on disk before it is used, so that an enrolment that was cut off goes on as the same node when it is run again.
package struct Enrolment: Sendable {
    package enum Outcome: Sendable {
        case enrolled(node: String)
        /// This data folder belongs to a node already.
        case alreadyEnrolled(node: String)
    }

    private static let keyFile = "enrolment.key"
    private static let answerLimit = TimeAmount.seconds(30)

    private let controller: String
    private let place: HostPort
    private let token: JoinToken
    private let data: DataDirectory
    private let machine: Machine

    package init(
        controller: String, token: String, data: DataDirectory, machine: Machine
    ) throws {
        self.controller = controller
        place = try HostPort(controller)
        self.token = try JoinToken(text: token)
        self.data = data
        self.machine = machine
    }

    package func run() async throws -> Outcome {
        if let identity = try soundIdentity(), !identity.isExpired(at: .now()) {
            guard identity.controller == controller || identity.authority.publicKeyPin == token.caPin else {
                throw EnrolmentError.otherController(node: identity.node, controller: identity.controller)
            }
            // A death between the identity and this has left it.
            try AtomicFile.remove(data.file(Self.keyFile))
            return .alreadyEnrolled(node: identity.node)
        }
        let key = try loadKey()
        let csr = try CertificateSigningRequest.make(key: key, commonName: String(machine.hostname.prefix(64)))
        let request = EnrolmentRequest(
            token: token.id, secret: token.secret, csr: csr, hostname: machine.hostname, agent: Version.current)
        let granted = try await ask(request)
        let identity = try NodeIdentity.granted(
            certificate: granted.certificate, authority: granted.authority, key: key, node: granted.node,
            controller: controller, serverName: granted.controllerName, pin: token.caPin)
        try identity.store(in: data)
        try AtomicFile.remove(data.file(Self.keyFile))
        return .enrolled(node: identity.node)
    }

    /// A damaged identity is set aside: enrolling is the way to a new one.
    private func soundIdentity() throws -> NodeIdentity? {
        do throws(IdentityError) { return try NodeIdentity.load(from: data) } catch {
            guard case .damaged(let path, _) = error else { throw error }
            guard rename(path, "\(path).damaged-\(Timestamp.now().milliseconds)") == 0 else {
                throw FileError("set aside", path)
            }
            return nil
        }
    }

    private func loadKey() throws -> PrivateKey {
        let path = data.file(Self.keyFile)
        do throws(FileError) {
            try FileMode.requirePrivate(path)
            let text = String(decoding: try AtomicFile.read(path), as: UTF8.self)
            if let key = try? PrivateKey(pem: text) { return key }
        } catch { guard error.isMissing else { throw error } }
        let key = try PrivateKey.generate()
        try AtomicFile.write(Array(key.pem.utf8), to: path)
        return key
    }

    private func ask(_ request: EnrolmentRequest) async throws -> Enrolled {
        // The controller's name is not known before it has said it; the pin of the token is what proves it.
        let context = try TLSContext(
            client: TLSClientConfiguration(
                trust: .pin(token.caPin), serverName: nil, protocols: [ProtocolVersion.enrolmentALPN]))
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let answer = loop.makePromise(of: ControllerMessage.self)
        let channel: any Channel
        do {
            channel = try await SecureClient.connect(
                host: place.host, port: place.port, on: loop, context: context
            ) { try $0.pipeline.syncOperations.addHandlers([LineDecoder(), AnswerHandler(answer)]) }.get()
        } catch {
            answer.fail(error)
            throw EnrolmentError.unreachable(controller, ConnectionReason.text(error))
        }
        defer { channel.close(promise: nil) }
        let timer = loop.scheduleTask(in: Self.answerLimit) { answer.fail(EnrolmentError.silent(controller)) }
        defer { timer.cancel() }
        channel.writeAndFlush(ByteBuffer(bytes: AgentMessage.enrol(request).line()), promise: nil)
        switch try await answer.futureResult.get() {
        case .enrolled(let enrolled): return enrolled
        case .goodbye(let goodbye): throw EnrolmentError.refused(goodbye.message)
        default: throw EnrolmentError.silent(controller)
        }
    }
}

/// Why this machine did not become a node.
package enum EnrolmentError: Error, Sendable, Hashable, CustomStringConvertible {
    case unreachable(String, String)
    case refused(String)
    case silent(String)
    case otherController(node: String, controller: String)

    package var description: String {
        switch self {
        case .unreachable(let place, let reason): "the controller at \(place) cannot be reached: \(reason)"
        case .refused(let reason): "the controller refused the enrolment: \(reason)"
        case .silent(let place): "the controller at \(place) gave no answer to the enrolment"
        case .otherController(let node, let controller):
            "this data folder belongs to node \(node) of the controller at \(controller); use another folder"
        }
    }
}

/// Takes the one line that answers an enrolment.
private final class AnswerHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let answer: EventLoopPromise<ControllerMessage>

    init(_ answer: EventLoopPromise<ControllerMessage>) { self.answer = answer }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        do { answer.succeed(try ControllerMessage(decoding: unwrapInboundIn(data).readableBytesView)) } catch {
            answer.fail(error)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        answer.fail(error)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { answer.fail(ChannelError.eof) }
}
