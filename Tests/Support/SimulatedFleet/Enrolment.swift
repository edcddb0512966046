package import Model
package import NIOCore
package import Store
package import Transport
import WireProtocol

/// How simulated nodes get their certificates.
package enum Enrolment {
    /// Makes a node and its certificate in the controller's own files, which must not be in use.
    package static func direct(
        _ node: String, authority: CertificateAuthority, store: Store, at now: Timestamp
    ) async throws -> TLSContext {
        let key = try PrivateKey.generate()
        let request = try CertificateSigningRequest(pem: CertificateSigningRequest.make(key: key, commonName: node))
        let certificate = try authority.issueNode(
            csr: request, nodeID: node, validity: .seconds(86_400), now: now.milliseconds)
        try await store.insertNode(NodeRecord(id: node, name: node, enrolledAt: now, approvedAt: now))
        return try context(certificate, key, authority.certificate)
    }

    /// Enrols with a join token, as a real agent does. Returns the node's id and how it connects.
    package static func byToken(
        _ text: String, hostname: String, port: Int, on group: any EventLoopGroup
    ) async throws -> (node: String, context: TLSContext) {
        let token = try JoinToken(text: text)
        let key = try PrivateKey.generate()
        let request = EnrolmentRequest(
            token: token.id, secret: token.secret,
            csr: try CertificateSigningRequest.make(key: key, commonName: hostname), hostname: hostname,
            agent: "0.0.0-simulated")
        let tls = try TLSContext(
            client: TLSClientConfiguration(
                trust: .pin(token.caPin), serverName: nil, protocols: [ProtocolVersion.enrolmentALPN]))
        let enrolled = try await ask(request, port, group, tls)
        return (
            enrolled.node,
            try context(Certificate(pem: enrolled.certificate), key, Certificate(pem: enrolled.authority))
        )
    }

    private static func context(
        _ certificate: Certificate, _ key: PrivateKey, _ authority: Certificate
    ) throws -> TLSContext {
        try TLSContext(
            client: TLSClientConfiguration(
                trust: .authorities([authority]), serverName: "localhost",
                identity: TLSIdentity(chain: [certificate], key: key), protocols: [ProtocolVersion.alpn]))
    }

    private static func ask(
        _ request: EnrolmentRequest, _ port: Int, _ group: any EventLoopGroup, _ tls: TLSContext
    ) async throws -> Enrolled {
        let loop = group.next()
        let answer = loop.makePromise(of: ControllerMessage.self)
        let timer = loop.scheduleTask(in: .seconds(30)) { answer.fail(FleetFailure("no answer to the enrolment")) }
        defer { timer.cancel() }
        let channel = try await SecureClient.connect(host: "127.0.0.1", port: port, on: loop, context: tls) {
            try $0.pipeline.syncOperations.addHandlers([LineDecoder(), EnrolmentAnswer(answer)])
        }.flatMapErrorThrowing { error in
            answer.fail(error)
            throw error
        }.get()
        defer { channel.close(promise: nil) }
        channel.writeAndFlush(ByteBuffer(bytes: AgentMessage.enrol(request).line()), promise: nil)
        switch try await answer.futureResult.get() {
        case .enrolled(let enrolled): return enrolled
        case .goodbye(let goodbye): throw FleetFailure("enrolment refused: \(goodbye.message)")
        default: throw FleetFailure("no answer to the enrolment")
        }
    }
}

/// Takes the one line that answers an enrolment.
private final class EnrolmentAnswer: ChannelInboundHandler {
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
