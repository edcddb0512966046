import ControllerCore
import Glibc
import Logging
import Model
import SimulatedFleet
import Store
import Synchronization
import WireProtocol
import WordPressProduct

/// What it costs the controller itself to provision WordPress sites, where all outside of it answers: at once, to see its own processor
/// time for one; after a while, to see whether one of many has to wait for its turn.
struct SagaBench {
    var sites = 200
    var crowd = 1000

    func run() async throws {
        try await alone()
        try await together()
    }

    /// One after the other, nothing to wait for.
    private func alone() async throws {
        let world = try await SagaWorld(nodes: 20, pause: nil)
        defer { world.close() }
        // What is made once for all is made by the first few.
        try await world.provision(10, from: 0)
        let (cpu, start) = (Self.processor(), ContinuousClock.now)
        for number in 0..<sites { try await world.provision(1, from: 10 + number) }
        let took = (ContinuousClock.now - start).seconds
        report(
            "saga.provision",
            [
                ("sites", Double(sites)), ("processor_ms", (Self.processor() - cpu) * 1000 / Double(sites)),
                ("wall_ms", took * 1000 / Double(sites)),
            ])
    }

    /// All at once; each command takes half a second to two.
    private func together() async throws {
        let world = try await SagaWorld(nodes: 100, pause: 500...2000)
        defer { world.close() }
        let (cpu, start) = (Self.processor(), ContinuousClock.now)
        try await world.provision(crowd, from: 0)
        let took = (ContinuousClock.now - start).seconds
        let turns = world.turns
        report(
            "saga.crowd",
            [
                ("operations", Double(crowd)), ("in_flight", Double(world.most)), ("seconds", took),
                ("turns", Double(turns.count)), ("turn_p50_ms", Self.quantile(turns, 0.5)),
                ("turn_p99_ms", Self.quantile(turns, 0.99)), ("turn_worst_ms", turns.last ?? 0),
                ("processor_share", (Self.processor() - cpu) / took),
            ])
        guard world.most >= crowd * 9 / 10 else { throw FleetFailure("only \(world.most) were in flight at once") }
    }

    private static func quantile(_ sorted: [Double], _ share: Double) -> Double {
        sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
    }

    /// Seconds of processor that this process has used.
    private static func processor() -> Double {
        var usage = rusage()
        // RUSAGE_SELF.
        getrusage(0, &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1_000_000 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }
}

/// A store on the disk, an executor, and everything that a site needs outside.
final class SagaWorld: Sendable {
    private let folder: String
    private let store: Store
    private let operations: Operations
    private let work: Task<Void, any Error>
    private let outside: SagaOutside

    /// - Parameter pause: milliseconds that a command takes; nil for none.
    init(nodes: Int, pause: ClosedRange<Int>?) async throws {
        folder = try temporaryFolder("bench")
        store = try Store(path: "\(folder)/store.sqlite")
        let outside = SagaOutside(nodes: nodes, pause: pause)
        self.outside = outside
        var logger = Logger(label: "bench")
        logger.logLevel = .critical
        let dependencies = Dependencies(
            store: store, agents: outside.agents, ports: outside.ports,
            catalogue: Catalogue(products: [WordPress.product], types: []), logger: logger)
        let executor = Executor(
            dependencies: dependencies, limits: ExecutorLimits(perNode: 100, perKind: 5000, unplaced: 5000))
        operations = Operations(dependencies: dependencies, wake: { executor.wake() })
        work = Task { try await executor.run() }
        try await furnish(nodes)
    }

    func close() {
        work.cancel()
        remove(folder)
    }

    /// How long operations waited between an answer and their next command, milliseconds, sorted.
    var turns: [Double] { outside.state.withLock { $0.turns.sorted() } }
    /// The most that had begun and not ended at once.
    var most: Int { outside.state.withLock { $0.most } }

    private func furnish(_ nodes: Int) async throws {
        let (now, by) = (Timestamp.now(), Requester(name: "bench"))
        let room: JSONObject = [
            "storage": "pool", "total_bytes": .integer(1 << 50), "available_bytes": .integer(1 << 50),
        ]
        for number in 0..<nodes {
            let id = "nod_\(number)"
            try await store.insertNode(NodeRecord(id: id, name: "node-\(number)", enrolledAt: now, approvedAt: now))
            let facts: JSONObject = [
                "drivers": [
                    [
                        "name": "proxmox",
                        "facts": ["node": .string("pve\(number)"), "cluster": "pve", "storages": [.object(room)]],
                    ]
                ]
            ]
            try await store.recordHello(
                NodeHello(
                    node: id, agentVersion: "1", facts: facts, boot: "b", cpuMillis: 1_000_000,
                    memoryBytes: 1 << 44, diskBytes: 0), at: now)
        }
        try await store.insertIntegration(
            IntegrationRecord(name: SagaOutside.name, kind: "model", settings: [:], createdAt: now, updatedAt: now))
        _ = try await operations.putNetwork(
            name: "sites",
            spec: [
                "kind": "bridge", "interface": "vmbr1",
                "subnets": [
                    ["prefix": "10.64.0.0/16", "gateway": "10.64.0.1", "ranges": ["10.64.1.0-10.64.200.255"]]
                ],
            ], by: by
        ) { _ in true }
        _ = try await operations.createPlan(
            name: "basic", product: "wordpress",
            spec: [
                "memory_bytes": .integer(1 << 30), "cores": 1, "disk_bytes": .integer(8 << 30),
                "template": "local:vztmpl/debian-12.tar.zst", "storage": "pool", "network": "sites",
                "zone": "sites.example.org", "ha": "off",
            ], by: by)
    }

    /// Orders so many sites and waits until all of them are up.
    func provision(_ count: Int, from first: Int) async throws {
        let changes = store.changes()
        var left: Set<String> = []
        for number in first..<first + count {
            let made = try await operations.createService(
                ServiceRequest(
                    externalID: "site-\(number)", customer: "c", plan: "basic",
                    overrides: ["email": .string("u\(number)@example.org")]), by: Requester(name: "bench"))
            left.insert(made.operation.id)
        }
        for await change in changes where change.kind == .operation && left.contains(change.id) {
            guard let operation = try await store.operation(change.id), operation.state.isFinished else { continue }
            guard operation.state == .succeeded else {
                throw FleetFailure("a provision ends as \(operation.state): \(operation.error?.message ?? "")")
            }
            outside.ended(operation.id)
            left.remove(operation.id)
            if left.isEmpty { return }
        }
        throw FleetFailure("the store has ended")
    }
}
