import FaultProxy
import Model
import NIOCore
import NIOPosix
import Synchronization
import TestSupport
import Transport
import WireProtocol

/// Stands between agent and controller and reads what they say: with the key of the test's authority it is a controller to
/// the one and the node to the other.
final class LineProxy: Sendable {
    /// A message on its way.
    struct Line: Sendable, Hashable {
        var direction: Direction
        /// Its field `type`.
        var type: String
    }

    /// What is done to a line.
    enum Tampering: String, Sendable, CaseIterable {
        /// It never arrives, and the link is cut a little later.
        case lost
        case twice
        /// Behind the line that follows it.
        case late
        /// Its first half only.
        case half
        /// It, and what follows it, never arrives.
        case cutBefore
        /// It is the last that arrives.
        case cutAfter
    }

    typealias Rule = @Sendable (Line) -> Tampering?

    let port: Int
    private let listener: any Channel
    private let rule = Mutex<Rule>({ _ in nil })

    init(_ place: ControllerPlace, node: String) async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let server = try place.tls { _ in .accepted }
        let client = try Self.client(place, node)
        let hook = Hook()
        listener = try await SecureServer.bind(
            host: "127.0.0.1", port: 0, on: loop, context: { server },
            initializer: { channel in
                let pair = LinePair(channel) { hook.proxy?.judge($0) }
                try channel.pipeline.syncOperations.addHandlers([LineDecoder(), LineEnd(.up, pair)])
                let bound = NIOLoopBound(pair, eventLoop: loop)
                SecureClient.connect(host: "127.0.0.1", port: place.port, on: loop, context: client) { other in
                    try other.pipeline.syncOperations.addHandlers([LineDecoder(), LineEnd(.down, bound.value)])
                }.whenComplete { bound.value.connected($0) }
            }
        ).get()
        port = listener.localAddress?.port ?? 0
        hook.set(self)
    }

    /// Tampers with lines as the rule says, from now on.
    func follow(_ rule: @escaping Rule) { self.rule.withLock { $0 = rule } }

    func stop() { listener.close(promise: nil) }

    private func judge(_ line: Line) -> Tampering? { rule.withLock { $0 }(line) }

    private static func client(_ place: ControllerPlace, _ node: String) throws -> TLSContext {
        let key = try PrivateKey.generate()
        let csr = try CertificateSigningRequest(pem: CertificateSigningRequest.make(key: key, commonName: node))
        let certificate = try place.authority.issueNode(
            csr: csr, nodeID: node, validity: .seconds(86_400), now: Timestamp.now().milliseconds)
        return try TLSContext(
            client: TLSClientConfiguration(
                trust: .authorities([place.authority.certificate]), serverName: "controller.test",
                identity: TLSIdentity(chain: [certificate], key: key), protocols: [ProtocolVersion.alpn]))
    }
}

/// Leads from the listener's channels to their proxy, which is made after it.
private final class Hook: Sendable {
    private struct Weak { weak var proxy: LineProxy? }
    private let box = Mutex(Weak(proxy: nil))

    func set(_ proxy: LineProxy) { box.withLock { $0 = Weak(proxy: proxy) } }
    var proxy: LineProxy? { box.withLock { $0.proxy } }
}
