import APIModels
import ControllerCore
import HTTP
import HTTPFetch
import Logging
import Model
import ServiceLifecycle
import Store
import StoresCompatibility
import Synchronization
import TestSupport
import WireProtocol
import WordPressCompatibility

@testable import API

/// The API of a controller, over real HTTP on the loopback, whose operations really run over a stage; and who asks it as a dashboard does.
struct Dashboard: Sendable {
    let stage: ShopStage
    let server: APIServer
    /// Of the listener of the whole API, and of the one of this API alone that asks nobody for a key.
    let (port, ownPort): (Int, Int)
    /// A key with the scopes `read` and `services`.
    let key: String
    private let client = HTTPClient()

    /// - Parameter runs: whether operations are worked on from the beginning; else they wait for `work`.
    static func with(
        runs: Bool = true, patience: Duration = .seconds(60), http: HTTPSettings = HTTPSettings(),
        _ body: @escaping @Sendable (Dashboard) async throws -> Void
    ) async throws {
        var settings = APISettings(authorityPin: String(repeating: "ab", count: 32))
        (settings.port, settings.http) = (0, http)
        let wanted = settings
        try await ShopStage.with { stage in
            let operations = Operations(dependencies: stage.dependencies)
            let key = try await Self.key(stage.store, ["read", "services"])
            let (ports, told) = AsyncStream<[Int]>.makeStream()
            let all = Mutex<[Int: Int]>([:])
            let server = try APIServer(
                operations: operations, settings: wanted, tls: nil, others: [Self.api(patience)], logger: Self.logger,
                onRunning: { listener, port in
                    let known = all.withLock { all in
                        all[listener] = port
                        return all
                    }
                    if known.count == 2 { told.yield(known.sorted { $0.key < $1.key }.map(\.value)) }
                })
            let group = ServiceGroup(services: [server], logger: Self.logger)
            try await withThrowingTaskGroup { tasks in
                tasks.addTask { try await group.run() }
                for await ports in ports {
                    let dashboard = Dashboard(
                        stage: stage, server: server, port: ports[0], ownPort: ports[1], key: key)
                    let work = runs ? dashboard.work() : nil
                    defer { work?.cancel() }
                    do { try await body(dashboard) } catch {
                        await group.triggerGracefulShutdown()
                        throw error
                    }
                    break
                }
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
            }
        }
    }

    private static func api(_ patience: Duration) -> OtherAPI {
        var settings = StoresAPI.Settings()
        settings.patience = patience
        let made = settings
        let make: @Sendable (OtherAPI.Front) -> StoresAPI = {
            StoresAPI(operations: $0.operations, history: $0.history, settings: made)
        }
        return OtherAPI(
            list: { make($0).list(below: StoresAPI.prefix, authenticator: $0.holders) },
            own: .init(host: "127.0.0.1", port: 0, isPlain: true) { make($0).list(authenticator: .open) })
    }

    private static let logger: Logger = {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }()

    /// Works on operations until it is cancelled.
    func work() -> Task<Void, any Error> {
        let executor = Executor(dependencies: stage.dependencies)
        return Task { try await executor.run() }
    }

    static func key(_ store: Store, _ scopes: [String], customer: String? = nil) async throws -> String {
        let key = KeyText.make()
        try await store.insertKey(
            key.record(name: "dashboard", scopes: scopes, customer: customer, createdAt: Timestamp(milliseconds: 1)))
        return key.text
    }

    // MARK: asking

    struct Answer: Sendable {
        let status: Int
        let headers: HTTPHeaders
        let body: JSONValue

        var error: String { body["error"]?.asString ?? "" }
    }

    /// - Parameters:
    ///   - key: nil for the panel's own, empty for none.
    ///   - own: asks the listener of this API alone.
    func ask(
        _ method: String, _ path: String, _ body: JSONValue? = nil, key: String? = nil, own: Bool = false,
        headers: [String: String] = [:], timeout: Duration = .seconds(90)
    ) async throws -> Answer {
        let base = own ? "http://127.0.0.1:\(ownPort)" : "http://127.0.0.1:\(port)\(StoresAPI.prefix)"
        var request = HTTPRequest(method, base + path)
        request.timeout = timeout
        let key = key ?? self.key
        if !key.isEmpty, !own { request.headers["Authorization"] = "Bearer \(key)" }
        if let body {
            request.headers["Content-Type"] = "application/json"
            request.body = .bytes(body.encoded)
        }
        for (name, value) in headers { request.headers[name] = value }
        let response = try await client.send(request)
        return Answer(
            status: response.status, headers: response.headers,
            body: response.body.isEmpty ? .null : try JSONParser.parse(response.body))
    }

    func post(_ path: String, _ body: JSONObject, key: String? = nil, headers: [String: String] = [:]) async throws
        -> Answer
    {
        try await ask("POST", path, .object(body), key: key, headers: headers)
    }

    static let order: JSONObject = ["name": "shoes", "engine": "woocommerce"]

    /// Asks until a shop is in a state.
    func store(_ id: String, is status: String) async throws -> Answer {
        var last = try await ask("GET", "/api/v1/stores/\(id)")
        for _ in 0..<600 where last.body["status"]?.asString != status {
            try await Task.sleep(for: .milliseconds(50))
            last = try await ask("GET", "/api/v1/stores/\(id)")
        }
        return last
    }
}
