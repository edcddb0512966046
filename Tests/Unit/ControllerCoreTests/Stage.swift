import Glibc
import Logging
import Model
import Placement
import Saga
import Store
import Synchronization
import WireProtocol

@testable import ContainerProduct
@testable import ControllerCore

/// A clock that jumps over pauses, and that can stop the run which asks it for the time.
final class StageClock: Sendable {
    struct State { var milliseconds: Int64 = 1_800_000_000_000, looks = 0, stopAt = Int.max, jumps = true }
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
                // Slowly: a few seconds go by before a deadline comes, enough for a test to change something.
                if self.state.withLock({ !$0.jumps }) { try? await Task.sleep(for: .milliseconds(500)) }
                self.state.withLock { $0.milliseconds += max(1, duration.wholeMilliseconds) }
                await Task.yield()
            },
            timer: { _ in try? await Task.sleep(for: .seconds(3600)) })
    }
}

/// A store of its own with one node and one plan, a model node and a front.
struct Stage: Sendable {
    let store: Store
    let node = ModelNode()
    let clock = StageClock()
    let host = ScriptedHost()
    let dependencies: Dependencies
    let operations: Operations
    let directory: String

    static let by = Requester(name: "test")
    static let mebi: Int64 = 1 << 20

    init() async throws {
        directory = "/tmp/innkeeper-core-\(Identifier.make("t"))"
        mkdir(directory, 0o700)
        store = try Store(path: "\(directory)/store.db")
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        var ports = Ports()
        ports.http = host.port
        dependencies = Dependencies(
            store: store, agents: node.port, ports: ports, catalogue: .tested, clock: clock.port, logger: logger)
        operations = Operations(dependencies: dependencies)
        try await addNode("nod_1")
        _ = try await operations.createPlan(name: "small", spec: Self.plan(), by: Self.by)
        _ = try await operations.createPlan(name: "large", spec: Self.plan(memory: 256, disk: 512), by: Self.by)
    }

    static func with(_ body: (Stage) async throws -> Void) async throws {
        let stage = try await Stage()
        do {
            try await body(stage)
        } catch {
            await stage.close()
            throw error
        }
        await stage.close()
    }

    func close() async {
        await store.close()
        for suffix in ["", "-wal", "-shm"] { unlink("\(directory)/store.db\(suffix)") }
        rmdir(directory)
    }

    static func plan(memory: Int64 = 64, disk: Int64 = 100) -> JSONObject {
        [
            "image": "shop:1", "memory_bytes": .integer(memory * mebi), "cpu_millis": 100,
            "disk_bytes": .integer(disk * mebi), "env": ["MODE": "live"],
        ]
    }

    /// - Parameter again: it is known and says hello once more.
    /// - Parameter marks: whether its agent knows marks.
    func addNode(
        _ id: String, memory: Int64 = 1 << 30, again: Bool = false, approved: Bool = true, marks: Bool = true
    ) async throws {
        let now = clock.port.now()
        let facts: JSONObject = [
            "drivers": [
                ["name": "docker", "facts": ["marks": .bool(marks)]],
                [
                    "name": "zfs",
                    "facts": [
                        "pools": [["name": "tank", "size_bytes": 4_294_967_296, "free_bytes": 4_294_967_296]],
                        "marks": .bool(marks),
                    ],
                ],
            ]
        ]
        if !again {
            try await store.insertNode(
                NodeRecord(
                    id: id, name: "node-\(id.dropFirst(4))", enrolledAt: now, approvedAt: approved ? now : nil))
        }
        try await store.recordHello(
            NodeHello(
                node: id, agentVersion: "1", facts: facts, boot: "b", cpuMillis: 4000, memoryBytes: memory,
                diskBytes: 0), at: now)
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

    var looks: Int { clock.state.withLock { $0.looks } }

    // MARK: what there is

    func create(_ externalID: String = "order-1", plan: String = "small") async throws -> ServiceOperation {
        let request = ServiceRequest(externalID: externalID, customer: "cus-1", plan: plan)
        return try await operations.createService(request, by: Self.by)
    }

    /// A running service.
    func provision(_ externalID: String = "order-1") async throws -> ServiceRecord {
        let made = try await create(externalID)
        try await finish(made.operation.id)
        return try await service(made.service.id)
    }

    func service(_ id: String) async throws -> ServiceRecord {
        try await store.service(id)
            ?? ServiceRecord(id: "", customer: "", plan: "", createdAt: clock.port.now(), updatedAt: clock.port.now())
    }

    /// What the controller believes of a service, without times.
    func books(_ service: String) async throws -> Books {
        Books(
            state: try await self.service(service).state, node: try await self.service(service).node,
            spec: try await self.service(service).spec,
            reservation: try await store.reservation(service: service)?.resources,
            names: try await store.allocations(service: service).map { "\($0.kind) \($0.value)" })
    }
}

struct Books: Hashable {
    var state: ServiceRecord.State
    var node: String?
    var spec: JSONObject
    var reservation: Resources?
    var names: [String]
}
