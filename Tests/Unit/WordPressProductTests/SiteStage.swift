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
@testable import WordPressProduct

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

/// A store of its own with a cluster of three nodes, a network and two plans; a model of the cluster and of what is outside.
struct SiteStage: Sendable {
    let store: Store
    let cluster = ModelCluster()
    let outside: ModelOutside
    let clock = StageClock()
    let dependencies: Dependencies
    let operations: Operations
    let directory: String

    static let by = Requester(name: "test")
    static let gibi: Int64 = 1 << 30

    init() async throws {
        directory = "/tmp/innkeeper-site-\(Identifier.make("t"))"
        mkdir(directory, 0o700)
        store = try Store(path: "\(directory)/store.db")
        outside = ModelOutside(cluster)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        var ports = outside.ports
        let words = Mutex(UInt8(0))
        ports.random = RandomPort { count in
            words.withLock { word in
                word &+= 1
                return [UInt8](repeating: word, count: count)
            }
        }
        dependencies = Dependencies(
            store: store, agents: cluster.port, ports: ports,
            catalogue: Catalogue(products: [Container.product, WordPress.product], types: [.command]),
            clock: clock.port,
            logger: logger)
        operations = Operations(dependencies: dependencies)
        for number in 1...3 { try await addNode(number) }
        let now = clock.port.now()
        try await store.insertIntegration(
            IntegrationRecord(name: ModelOutside.name, kind: "model", settings: [:], createdAt: now, updatedAt: now))
        _ = try await operations.putNetwork(
            name: "sites",
            spec: [
                "kind": "bridge", "interface": "vmbr1", "vlan": 20, "resolvers": ["192.0.2.2"],
                "subnets": [["prefix": "192.0.2.0/24", "gateway": "192.0.2.1", "ranges": ["192.0.2.10-192.0.2.99"]]],
            ], by: Self.by
        ) { _ in true }
        _ = try await operations.createPlan(name: "basic", product: "wordpress", spec: Self.plan(), by: Self.by)
        _ = try await operations.createPlan(
            name: "standard", product: "wordpress",
            spec: Self.plan(memory: 4, disk: 40, cores: 2, domains: 2, backups: 3), by: Self.by)
    }

    static func with(_ body: (SiteStage) async throws -> Void) async throws {
        let stage = try await SiteStage()
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

    static func plan(
        memory: Int64 = 2, disk: Int64 = 20, cores: Int64 = 1, domains: Int64 = 1, backups: Int64 = 1
    ) -> JSONObject {
        [
            "memory_bytes": .integer(memory * gibi), "cores": .integer(cores), "disk_bytes": .integer(disk * gibi),
            "domains": .integer(domains), "template": "local:vztmpl/debian-12.tar.zst", "storage": "pool",
            "network": "sites", "zone": "sites.example.org",
            "backups": ["retention": .integer(backups), "schedule": "daily", "storage": "backups"],
        ]
    }

    private func addNode(_ number: Int) async throws {
        let now = clock.port.now()
        let room: JSONObject = ["total_bytes": .integer(1 << 42), "available_bytes": .integer(1 << 42)]
        let facts: JSONObject = [
            "drivers": [
                [
                    "name": "proxmox",
                    "facts": [
                        "node": .string("pve\(number)"), "cluster": "pve", "version": "9.0", "marks": true,
                        "storages": [
                            .object(room.merged(with: ["storage": "pool"])),
                            .object(room.merged(with: ["storage": "local-zfs"])),
                        ],
                    ],
                ]
            ]
        ]
        try await store.insertNode(
            NodeRecord(id: "nod_\(number)", name: "node-\(number)", enrolledAt: now, approvedAt: now))
        try await store.recordHello(
            NodeHello(
                node: "nod_\(number)", agentVersion: "1", facts: facts, boot: "b", cpuMillis: 16_000,
                memoryBytes: 64 * Self.gibi, diskBytes: 0), at: now)
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

    func create(_ email: String = "jane@example.org", externalID: String = "order-1") async throws -> ServiceOperation {
        try await operations.createService(
            ServiceRequest(
                externalID: externalID, customer: "cus-\(externalID)", plan: "basic",
                overrides: ["email": .string(email)]),
            by: Self.by)
    }

    /// A running site.
    func site(_ email: String = "jane@example.org", externalID: String = "order-1") async throws -> ServiceRecord {
        let made = try await create(email, externalID: externalID)
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
