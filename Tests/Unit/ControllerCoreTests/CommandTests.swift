import AgentCommands
import Logging
import Model
import Placement
import Store
import Synchronization
import Testing
import WireProtocol

@testable import ControllerCore

/// A node that answers each order as the test says, and keeps the orders.
final class AnsweringNode: Sendable {
    typealias Answer = @Sendable (AgentCommand, _ number: Int) async throws(AgentError) -> CommandResult
    private let orders = Mutex<[AgentCommand]>([])
    private let answer: Answer

    init(_ answer: @escaping Answer) { self.answer = answer }

    var calls: [AgentCommand] { orders.withLock { $0 } }

    var port: AgentsPort {
        AgentsPort(
            perform: { call, _ throws(AgentError) in
                let number = self.orders.withLock { orders in
                    orders.append(call)
                    return orders.count
                }
                return try await self.answer(call, number)
            }, connected: { ["nod_1"] })
    }

    static func result(
        _ call: AgentCommand, _ status: CommandStatus, _ code: CommandErrorCode? = nil, observed: JSONObject = [:],
        retryable: Bool = false
    ) -> CommandResult {
        CommandResult(
            id: call.id, status: status, changed: status == .succeeded, observed: observed,
            error: code.map {
                CommandError(
                    code: $0, message: "it is \($0.code)", retryable: retryable, operation: call.action,
                    resource: call.resource)
            }, finished: 1)
    }
}

extension Stage {
    static let catalogue: JSONValue = [
        [
            "driver": "docker", "version": "1",
            "operations": [
                ["name": "container.exec", "kind": "mutate", "summary": "s", "deadline_ms": 300_000],
                ["name": "container.list", "kind": "observe", "summary": "s", "deadline_ms": 30_000],
                [
                    "name": "container.stop", "kind": "mutate", "summary": "s", "deadline_ms": 30_000,
                    "resource": "docker/{name}",
                ],
            ],
        ]
    ]

    /// Orders a command, and runs it to its end on a node that answers as `answer` says.
    func command(
        _ request: CommandRequest, _ node: AnsweringNode, cancelFirst: Bool = false
    ) async throws -> OperationRecord {
        let made = try await operations.command(request, on: "nod_1", by: Self.by)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let dependencies = Dependencies(
            store: store, agents: node.port, catalogue: .tested, clock: clock.port, logger: logger)
        let loading = OperationLoading(dependencies: dependencies, rules: .standard) { _, _ in }
        let work = try await loading.load(made.operation, RunSignals()) { _ in true }.get()
        _ = try await work()
        return try await outcome(made.operation.id)
    }
}

@Suite struct `A command to a node` {
    private let exec = CommandRequest(
        operation: "docker.container.exec", resource: "docker/web", arguments: ["command": ["true"]],
        secrets: ["env": ["PASSWORD": "hunter2"]])

    @Test func `is an operation of one step, whose result holds what was seen and whose secrets go at the end`()
        async throws
    {
        try await Stage.with { stage in
            let node = AnsweringNode { call, _ in
                AnsweringNode.result(call, .succeeded, observed: ["exit_code": 3])
            }
            let ended = try await stage.command(exec, node)
            #expect(ended.state == .succeeded)
            #expect(ended.kind == "command" && ended.node == "nod_1")
            #expect(ended.result?["observed"]?["exit_code"] == 3)
            #expect(ended.parameters["secrets"] == nil)
            #expect(node.calls.map(\.secrets) == [["env": ["PASSWORD": "hunter2"]]])
            #expect(node.calls.first?.by == "test")
            let audit = try await stage.store.auditLog().items
            let record = try #require(audit.last { $0.action == "node.command" })
            #expect(record.detail["command"] == "docker.container.exec")
            #expect(!record.detail.text.contains("hunter2"))
        }
    }

    @Test(arguments: [
        (CommandStatus.interrupted, CommandErrorCode.interrupted), (.failed, .unknownOutcome), (.refused, .journalLost),
    ])
    func `that was cut off in the middle needs attention and is not done again`(
        status: CommandStatus, code: CommandErrorCode
    ) async throws {
        try await Stage.with { stage in
            let node = AnsweringNode { call, _ in AnsweringNode.result(call, status, code) }
            let ended = try await stage.command(exec, node)
            #expect(ended.state == .needsAttention)
            #expect(ended.error?.code == code.code)
            #expect(node.calls.count == 1)
        }
    }

    @Test func `that only looks and was cut off has failed, since nothing can be left over`() async throws {
        try await Stage.with { stage in
            try await stage.teach()
            let node = AnsweringNode { call, _ in AnsweringNode.result(call, .interrupted, .interrupted) }
            let ended = try await stage.command(CommandRequest(operation: "docker.container.list"), node)
            #expect(ended.state == .failed && ended.error?.retryable == true)
            #expect(node.calls.map(\.generation) == [0] && node.calls[0].deadline == .seconds(30))
        }
    }

    @Test(arguments: [
        (CommandStatus.refused, CommandErrorCode.policy, false), (.failed, .busy, true),
        (.interrupted, .notStarted, true),
    ])
    func `that was not done has failed, and says whether a retry can help`(
        status: CommandStatus, code: CommandErrorCode, retryable: Bool
    ) async throws {
        try await Stage.with { stage in
            let node = AnsweringNode { call, _ in AnsweringNode.result(call, status, code, retryable: retryable) }
            let ended = try await stage.command(exec, node)
            #expect(ended.state == .failed)
            #expect(ended.error?.code == code.code && ended.error?.retryable == retryable)
            #expect(node.calls.count == 1)
        }
    }

    @Test func `that found no answer is sent again under the same id`() async throws {
        try await Stage.with { stage in
            let node = AnsweringNode { call, number throws(AgentError) in
                guard number > 2 else { throw AgentError(retryable: true, code: "unreachable", message: "away") }
                return AnsweringNode.result(call, .succeeded)
            }
            let ended = try await stage.command(exec, node)
            #expect(ended.state == .succeeded)
            #expect(Set(node.calls.map(\.id)).count == 1 && node.calls.count == 3)
        }
    }

    @Test func `to a node that stays away ends as unknown when its time is up`() async throws {
        try await Stage.with { stage in
            let node = AnsweringNode { _, _ throws(AgentError) in
                throw AgentError(retryable: true, code: "unreachable", message: "away")
            }
            let ended = try await stage.command(exec, node)
            #expect(ended.state == .needsAttention && ended.error?.code == "unreachable")
        }
    }

    @Test func `goes under the generation of the newest order for its resource`() async throws {
        try await Stage.with { stage in
            for (id, generation) in [("old", 4), ("new", 7)] {
                _ = try await stage.store.insertCommand(
                    CommandRecord(
                        id: id, node: "nod_1", resource: "docker/web",
                        body: ["generation": .integer(Int64(generation))],
                        createdAt: stage.clock.port.now()))
            }
            let node = AnsweringNode { call, _ in AnsweringNode.result(call, .succeeded) }
            _ = try await stage.command(exec, node)
            #expect(node.calls.map(\.generation) == [7])
        }
    }

    @Test func `follows a generation that the store has forgotten, and stays refused behind one that it knows`()
        async throws
    {
        try await Stage.with { stage in
            let node = AnsweringNode { call, number in
                guard number == 1 else { return AnsweringNode.result(call, .succeeded) }
                return AnsweringNode.result(call, .refused, .staleGeneration, observed: ["newest_generation": 12])
            }
            let ended = try await stage.command(exec, node)
            #expect(ended.state == .succeeded)
            #expect(node.calls.map(\.generation) == [0, 12] && Set(node.calls.map(\.id)).count == 2)
            let store = stage.store
            let late = AnsweringNode { call, _ in
                AnsweringNode.result(call, .refused, .staleGeneration, observed: ["newest_generation": 20])
            }
            let made = try await stage.operations.command(exec, on: "nod_1", by: Requester(name: "other"))
            _ = try await stage.store.insertCommand(
                CommandRecord(
                    id: "newer", node: "nod_1", resource: "docker/web", body: ["generation": 20],
                    createdAt: stage.clock.port.now()))
            // The order was taken before the newer one was recorded.
            try await store.appendJournal(
                made.operation.id, after: 0,
                [
                    [
                        "entry": "started", "deadline": .integer(stage.clock.port.now().milliseconds + 600_000),
                        "context": ["generation": 12],
                    ]
                ], at: stage.clock.port.now())
            try await store.updateOperation(made.operation.id) { $0.state = .running }
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            let dependencies = Dependencies(
                store: store, agents: late.port, catalogue: .tested, clock: stage.clock.port, logger: logger)
            let loading = OperationLoading(dependencies: dependencies, rules: .standard) { _, _ in }
            _ = try await loading.load(made.operation, RunSignals()) { _ in true }.get()()
            let refused = try await stage.outcome(made.operation.id)
            #expect(refused.state == .failed && refused.error?.code == "stale_generation")
            #expect(late.calls.count == 1)
        }
    }

    @Test func `does not follow a node into generations that nobody can have given`() async throws {
        try await Stage.with { stage in
            let base = try await stage.store.generationBase()
            for claimed: Int64 in [.max, 1 << 62, (1 << 62) - 2] {
                let node = AnsweringNode { call, _ in
                    AnsweringNode.result(
                        call, .refused, .staleGeneration, observed: ["newest_generation": .integer(claimed)])
                }
                #expect(try await stage.command(exec, node).state == .failed)
                #expect(node.calls.count == 1)
                #expect(try await !stage.store.raiseGenerations(above: claimed, at: stage.clock.port.now()))
            }
            #expect(try await stage.store.generationBase() == base)
        }
    }

    @Test func `is taken once for one key, and not for what its node cannot do`() async throws {
        try await Stage.with { stage in
            let by = Requester(name: "test", idempotencyKey: "k")
            let first = try await stage.operations.command(exec, on: "nod_1", by: by)
            let second = try await stage.operations.command(exec, on: "nod_1", by: by)
            #expect(first.created && !second.created && first.operation.id == second.operation.id)
            try await stage.teach()
            for name in ["docker.container.fly", "zfs.dataset.list", "docker", ".x", "docker."] {
                await #expect(throws: CoreError.self) {
                    try await stage.operations.command(CommandRequest(operation: name), on: "nod_1", by: Stage.by)
                }
            }
        }
    }

    @Test func `that waits is called off at once, and a restored store does not run it`() async throws {
        try await Stage.with { stage in
            let made = try await stage.operations.command(exec, on: "nod_1", by: Stage.by)
            #expect(try await stage.operations.cancel(made.operation.id, by: Stage.by).state == .cancelled)
            let left = try await stage.operations.command(exec, on: "nod_1", by: Stage.by)
            let now = stage.clock.port.now()
            _ = try await Restoration.settle(stage.store, .tested, takenAt: now, at: now)
            #expect(try await stage.outcome(left.operation.id).state == .needsAttention)
        }
    }

    @Test func `names what it works on once, by its resource or by its arguments`() async throws {
        try await Stage.with { stage in
            let node = AnsweringNode { call, _ throws(AgentError) in AnsweringNode.result(call, .succeeded) }
            let requests = [
                CommandRequest(operation: "docker.container.stop", arguments: ["name": "web"]),
                CommandRequest(operation: "docker.container.stop", resource: "docker/web"),
                CommandRequest(operation: "docker.container.list"),
                CommandRequest(operation: "docker.container.stop", resource: "docker/web", arguments: ["name": "db"]),
            ]
            try await stage.teach()
            for request in requests { _ = try await stage.command(request, node) }
            #expect(node.calls.map(\.resource) == ["docker/web", "docker/web", "docker", "docker/web"])
            // What contradicts itself is for the node to refuse.
            #expect(node.calls.map { $0.arguments["name"]?.asString } == ["web", "web", nil, "db"])
        }
    }
}

extension Stage {
    /// The node says what it can do.
    func teach() async throws {
        try await store.recordHello(
            NodeHello(
                node: "nod_1", agentVersion: "1", facts: [:], boot: "b", cpuMillis: 1, memoryBytes: 1, diskBytes: 0,
                catalogue: Self.catalogue), at: clock.port.now())
    }
}
