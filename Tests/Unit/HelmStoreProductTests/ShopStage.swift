import ContainerProduct
import Glibc
import Logging
import Model
import Placement
import Saga
import Store
import Synchronization
import WireProtocol

@testable import ControllerCore
@testable import HelmStoreProduct

/// A clock that jumps over pauses, and that can stop the run which asks it for the time.
final class StageClock: Sendable {
    struct State { var milliseconds: Int64 = 1_800_000_000_000, looks = 0, stopAt = Int.max }
    let state = Mutex(State())

    var port: ClockPort {
        ClockPort(
            now: {
                self.state.withLock { state in
                    state.looks += 1
                    if state.looks == state.stopAt { withUnsafeCurrentTask { $0?.cancel() } }
                    return Timestamp(milliseconds: state.milliseconds)
                }
            },
            pause: { duration in
                self.state.withLock { $0.milliseconds += max(1, duration.wholeMilliseconds) }
                await Task.yield()
            },
            timer: { _ in try? await Task.sleep(for: .seconds(3600)) })
    }
}

/// A store of its own with two nodes that reach clusters, and plans; the agents are a model, or what a test puts there.
struct ShopStage: Sendable {
    let store: Store
    let cluster = ModelClusters()
    let clock = StageClock()
    let dependencies: Dependencies
    let operations: Operations
    let directory: String

    static let by = Requester(name: "test")

    /// - Parameter agents: instead of the model.
    init(_ agents: AgentsPort? = nil) async throws {
        directory = "/tmp/innkeeper-shop-\(Identifier.make("t"))"
        mkdir(directory, 0o700)
        store = try Store(path: "\(directory)/store.db")
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        var ports = Ports()
        let words = Mutex(UInt8(0))
        // On a cluster of processes, whoever looks for a release's sees those of all tests: its name is no other's.
        if agents == nil {
            ports.random = RandomPort { count in
                words.withLock { word in
                    word &+= 1
                    return [UInt8](repeating: word, count: count)
                }
            }
        }
        dependencies = Dependencies(
            store: store, agents: agents ?? cluster.port, ports: ports,
            catalogue: Catalogue(products: [Container.product, HelmStore.product], types: [.command]),
            clock: clock.port,
            logger: logger)
        operations = Operations(dependencies: dependencies)
        for number in 1...2 { try await addNode(number) }
        for (name, spec) in Self.plans {
            _ = try await operations.createPlan(name: name, product: "store", spec: spec, by: Self.by)
        }
    }

    /// `basic` removes what fails, `keeping` keeps it.
    static let plans: [(String, JSONObject)] = [
        ("basic", plan()), ("keeping", plan(["on_failure": "keep"])),
        ("large", plan(["files_gib": 20, "version": "9.9.5"])),
        ("smaller", plan(["files_gib": 2])), ("elsewhere", plan(["zone": "other.example.org"])),
        ("store-woocommerce", plan(["on_failure": "keep", "tls": false, "email": "jane@example.org"])),
    ]

    static func plan(_ more: JSONObject = [:]) -> JSONObject {
        let base: JSONObject = [
            "engine": "woocommerce", "chart": "/usr/share/innkeeper/charts/store", "zone": "shops.example.org",
            "backups": ["retention": 2], "on_failure": "unwind",
        ]
        return base.merged(with: more)
    }

    static func with(
        _ agents: AgentsPort? = nil, _ body: (ShopStage) async throws -> Void
    ) async throws {
        let stage = try await ShopStage(agents)
        do { try await body(stage) } catch {
            await stage.close()
            throw error
        }
        await stage.close()
    }

    private func close() async {
        await store.close()
        for suffix in ["", "-wal", "-shm"] { unlink("\(directory)/store.db\(suffix)") }
        rmdir(directory)
    }

    private func addNode(_ number: Int) async throws {
        let now = clock.port.now()
        let facts: JSONObject = ["drivers": [["name": "helm", "facts": ["cluster_answers": true]]]]
        try await store.insertNode(
            NodeRecord(id: "nod_\(number)", name: "node-\(number)", enrolledAt: now, approvedAt: now))
        try await store.recordHello(
            NodeHello(
                node: "nod_\(number)", agentVersion: "1", facts: facts, boot: "b", cpuMillis: 16_000,
                memoryBytes: 64 << 30, diskBytes: 0), at: now)
    }

    // MARK: running without an executor

    /// Runs an operation until it ends or the clock stops it.
    func run(_ operation: String, stopAt: Int = .max) async throws -> RunEnding {
        clock.state.withLock { ($0.looks, $0.stopAt) = (0, stopAt) }
        defer { clock.state.withLock { $0.stopAt = .max } }
        return try await Task {
            guard let record = try await store.operation(operation) else { return .stopped }
            let loading = OperationLoading(dependencies: dependencies, rules: .standard) { _, _ in }
            let work = try await loading.load(record, RunSignals()) { _ in true }.get()
            return try await work()
        }.value
    }

    /// Runs it to its end, taking it up again as often as it is stopped.
    @discardableResult
    func finish(_ operation: String) async throws -> OperationRecord {
        while try await run(operation) == .stopped {}
        return try await outcome(operation)
    }

    func outcome(_ operation: String) async throws -> OperationRecord {
        try await store.operation(operation) ?? OperationRecord(id: "", kind: "", createdAt: clock.port.now())
    }

    func service(_ id: String) async throws -> ServiceRecord {
        try await store.service(id)
            ?? ServiceRecord(id: "", customer: "", plan: "", createdAt: clock.port.now(), updatedAt: clock.port.now())
    }

    // MARK: orders

    func create(
        _ name: String = "shoes", plan: String = "basic", externalID: String = "order-1"
    ) async throws -> ServiceOperation {
        try await operations.createService(
            ServiceRequest(
                externalID: externalID, customer: "cus-\(externalID)", plan: plan,
                overrides: ["name": .string(name), "email": "jane@example.org"]),
            by: Self.by)
    }

    /// A running shop.
    func shop(_ name: String = "shoes", plan: String = "basic", externalID: String = "order-1") async throws
        -> ServiceRecord
    {
        let made = try await create(name, plan: plan, externalID: externalID)
        let ended = try await finish(made.operation.id)
        guard ended.state == .succeeded else { throw CoreError.conflict("\(ended.error?.message ?? "it failed")") }
        return try await service(made.service.id)
    }

    @discardableResult
    func order(_ verb: String, _ service: String, _ parameters: JSONObject = [:]) async throws -> OperationRecord {
        let made = try await operations.order(verb, on: service, parameters: parameters, by: Self.by)
        return try await finish(made.operation.id)
    }
}
