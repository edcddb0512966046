import AgentCommands
import HummingbirdCore
import APIModels
import ContainerProduct
import ControllerCore
import HTTPTypes
import Hummingbird
import Logging
import Model
import NIOCore
import NIOEmbedded
import Store
import Synchronization
import TestSupport
import WireProtocol

@testable import API
@testable import HTTP

/// A controller without agents: a store of its own, the core's front, and the API's router in this process.
struct House: Sendable {
    let folder: ScratchFolder
    let store: Store
    let operations: Operations
    let clock: HouseClock
    let server: APIServer
    let responder: APIRouter
    /// A key that may do everything.
    let admin: String
    /// The nodes whose sessions were cut.
    let cut: Cuts

    final class Cuts: Sendable {
        let nodes = Mutex<[String]>([])
    }

    init(
        products: [Product] = [Container.product], integrations: [IntegrationKind] = [.scripted],
        _ change: (inout APISettings) -> Void = { _ in }
    ) async throws {
        folder = try ScratchFolder("api")
        store = try Store(path: folder.file("store.db"))
        clock = HouseClock()
        let clock = clock
        let cut = Cuts()
        self.cut = cut
        let agents = AgentsPort(
            perform: { _, _ throws(AgentError) in throw AgentError(retryable: true, code: "unreachable", message: "") },
            connected: { ["nod_1"] },
            revoke: { node in cut.nodes.withLock { $0.append(node) } })
        operations = Operations(
            dependencies: Dependencies(
                store: store, agents: agents,
                catalogue: Catalogue(products: products, types: [.command, .transfer]),
                integrations: integrations, clock: clock.port, logger: Self.logger))
        var settings = APISettings(authorityPin: String(repeating: "ab", count: 32))
        settings.port = 0
        change(&settings)
        server = try APIServer(
            operations: operations, settings: settings, tls: nil, logger: Self.logger,
            now: { clock.time })
        responder = APIRouter(server.lists, server.pipeline)
        admin = try await Self.key(store, ["admin"])
    }

    static let logger: Logger = {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }()

    /// A new key with these scopes.
    static func key(_ store: Store, _ scopes: [String], expiresAt: Timestamp? = nil) async throws -> String {
        let key = KeyText.make()
        try await store.insertKey(
            key.record(name: "test", scopes: scopes, createdAt: HouseClock.start, expiresAt: expiresAt))
        return key.text
    }

    func key(_ scopes: String..., expiresAt: Timestamp? = nil) async throws -> String {
        try await Self.key(store, scopes, expiresAt: expiresAt)
    }

    /// Asks the router. `key` nil asks as the admin, empty as nobody.
    func ask(
        _ method: HTTPRequest.Method, _ path: String, _ body: String? = nil, key: String? = nil,
        idempotency: String? = nil, headers: HTTPFields = [:], of router: APIRouter? = nil
    ) async throws -> Reply {
        var fields = headers
        let key = key ?? admin
        if !key.isEmpty { fields[.authorization] = "Bearer \(key)" }
        if body != nil, fields[.contentType] == nil { fields[.contentType] = "application/json" }
        fields[.idempotencyKey] = idempotency
        let request = Request(
            head: HTTPRequest(method: method, scheme: "https", authority: "test", path: path, headerFields: fields),
            body: RequestBody(buffer: ByteBuffer(string: body ?? "")))
        var logger = Self.logger
        logger[metadataKey: "hb.request.id"] = "test-request"
        let channel = NIOAsyncTestingChannel()
        let context = APIContext(source: ApplicationRequestContextSource(channel: channel, logger: logger))
        let response = try await (router ?? responder).respond(to: request, context: context)
        let writer = ReplyWriter()
        try await response.body.write(writer)
        return Reply(response: response, body: writer.bytes.withLock { $0 })
    }

    func addNode(_ id: String = "nod_1", name: String = "alpha", approved: Bool = true) async throws {
        try await store.insertNode(
            NodeRecord(
                id: id, name: name, cpuMillis: 4000, memoryBytes: 8 << 30, diskBytes: 100 << 30,
                enrolledAt: HouseClock.start, approvedAt: approved ? HouseClock.start : nil))
    }

    static let plan = #"{"image":"busybox:1","memory_bytes":67108864,"cpu_millis":500,"disk_bytes":134217728}"#

    /// A plan `small` and a service of it, just ordered.
    func addService(_ externalID: String = "bill:1") async throws -> AcceptedOperation {
        _ = try await ask(.put, "/api/v1/plans/small", Self.plan)
        return try await ask(
            .post, "/api/v1/services", #"{"external_id":"\#(externalID)","customer":"c1","plan":"small"}"#
        ).model(AcceptedOperation.self)
    }
}

/// A clock that moves only when told.
final class HouseClock: Sendable {
    static let start = Timestamp(milliseconds: 1_800_000_000_000)
    private let now = Mutex(HouseClock.start)

    var time: Timestamp { now.withLock { $0 } }
    func advance(_ duration: Duration) { now.withLock { $0 = $0 + duration } }

    var port: ClockPort {
        ClockPort(now: { self.time }, pause: { _ in }, timer: { try? await Task.sleep(for: $0) })
    }
}

/// What the router answered.
struct Reply: Sendable {
    let response: Response
    let body: [UInt8]

    var status: Int { response.status.code }
    var text: String { String(decoding: body, as: UTF8.self) }
    var json: JSONValue { get throws { try JSONParser.parse(body) } }
    var problem: Problem { get throws { try model(Problem.self) } }

    func model<Model: Decodable>(_ type: Model.Type) throws -> Model {
        try BodyDecoder.model(type, from: JSONParser.parse(body))
    }
}

struct ReplyWriter: ResponseBodyWriter, Sendable {
    final class Bytes: Sendable {
        private let bytes = Mutex<[UInt8]>([])
        func withLock<Value: Sendable>(_ body: (inout sending [UInt8]) -> sending Value) -> Value {
            bytes.withLock(body)
        }
    }

    let bytes = Bytes()

    func write(_ buffer: ByteBuffer) async throws {
        let new = Array(buffer.readableBytesView)
        bytes.withLock { $0 += new }
    }

    func finish(_ headers: HTTPFields?) async throws {}
}
