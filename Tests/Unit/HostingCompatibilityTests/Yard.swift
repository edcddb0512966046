import APIModels
import AgentCommands
import Logging
import Model
import Placement
import Store
import Synchronization
import TestSupport
import WireProtocol

@testable import ControllerCore

/// A controller without agents whose plots are really built, and a hub.
struct Yard: Sendable {
    final class Clock: Sendable {
        private let now = Mutex(Timestamp(milliseconds: 1_800_000_000_000))
        var time: Timestamp { now.withLock { $0 } }
        func advance(_ time: Duration) { now.withLock { $0 = $0 + time } }
        var port: ClockPort {
            ClockPort(now: { self.time }, pause: { _ in }, timer: { _ in try? await Task.sleep(for: .seconds(3600)) })
        }
    }

    let folder: ScratchFolder
    let store: Store
    let hub: Hub
    let builder: Builder
    let clock: Clock
    let dependencies: Dependencies
    let operations: Operations
    let delivery: OutboxDelivery
    static let by = Requester(name: "test")

    /// - Parameters:
    ///   - other: whose store, hub and clock it shares, as another controller does.
    ///   - kinds: real ones, and the way to them, instead of the hub's.
    ///   - table: the settings of the integration `hub`.
    init(
        besides other: Yard? = nil, kinds: [IntegrationKind]? = nil, http: HTTPPort? = nil,
        table: JSONObject = ["url": "https://hub.example.org", "key": "planted-1729"]
    ) async throws {
        folder = try other?.folder ?? ScratchFolder("queues")
        store = try other?.store ?? Store(path: folder.file("store.db"))
        hub = other?.hub ?? Hub()
        builder = other?.builder ?? Builder()
        clock = other?.clock ?? Clock()
        var (ports, logger) = (Ports(), Logger(label: "test"))
        (ports.http, logger.logLevel) = (http ?? hub.http, .critical)
        dependencies = Dependencies(
            store: store,
            agents: AgentsPort(
                perform: { _, _ throws(AgentError) in
                    throw AgentError(retryable: true, code: "unreachable", message: "")
                }, connected: { [] }),
            ports: ports, catalogue: Catalogue(products: [Plots.product(builder)], types: []),
            integrations: kinds ?? hub.kinds, clock: clock.port, logger: logger)
        operations = Operations(dependencies: dependencies)
        delivery = OutboxDelivery(dependencies: dependencies)
        guard other == nil else { return }
        _ = try await operations.createPlan(name: "site", product: "site", spec: [:], by: Self.by)
        _ = try await operations.addIntegration(
            name: "hub", kind: QueueKinds.tables, settings: table, by: Self.by)
    }

    /// A standing queue.
    @discardableResult
    func queue(_ more: JSONObject = [:], name: String = "sites") async throws -> String {
        let settings = JSONObject([("tables", "hub"), ("plan", "site"), ("customer", "hub")]).merged(with: more)
        return try await operations.addQueue(name: name, settings: settings, by: Self.by).name
    }

    /// Looks into what is due.
    func look() async throws {
        try await StandingQueues(operations: operations).reconcile(dependencies)
    }

    /// Runs all operations to their ends.
    /// - Parameter wanted: these alone.
    func work(at wanted: [String?]? = nil) async throws {
        for operation in try await store.unfinishedOperations() where wanted?.contains(operation.id) != false {
            for _ in 0..<10 where try await store.operation(operation.id)?.state.isFinished == false {
                let loading = OperationLoading(dependencies: dependencies, rules: .standard) { _, _ in }
                guard let record = try await store.operation(operation.id) else { break }
                let work = try await loading.load(record, RunSignals()) { _ in true }.get()
                _ = try await work()
            }
        }
    }

    /// Looks after what was taken, and writes back.
    func tell() async throws {
        try await QueueClaims().reconcile(dependencies)
        await delivery.round()
    }

    /// All three, as often as it takes.
    func settle(_ rounds: Int = 3) async throws {
        for _ in 0..<rounds {
            try await look()
            try await work()
            try await tell()
            clock.advance(.seconds(61))
        }
    }

    func claims(_ state: QueueClaimRecord.State? = nil) async throws -> [QueueClaimRecord] {
        try await store.claims(QueueClaimFilter(state: state)).items.reversed()
    }

    func findings() async throws -> [String] {
        try await store.findings(FindingFilter(withResolved: false)).items.map(\.kind).sorted()
    }

    var services: [ServiceRecord] { get async throws { try await store.services().items } }
}
