import AgentCommands
import JournalSupport
import Logging
import Model
import Placement
import Store
import Synchronization
import Testing
import WireProtocol

@testable import ControllerCore

/// Two nodes that are joined as the test says, and all orders that they got.
private final class Pair: Sendable {
    typealias Join = @Sendable (_ sender: AgentCommand, _ receiver: AgentCommand) -> RelayOutcome
    struct Heard { var relayed: [AgentCommand] = [], asked: [AgentCommand] = [], cancelled: [String] = [] }
    let heard = Mutex(Heard())
    private let join: Join
    private let answer: @Sendable (AgentCommand) throws(AgentError) -> CommandResult
    private let there: Set<String>
    /// Records orders as the real fleet does.
    private let store: Store

    init(
        _ store: Store, there: Set<String> = ["nod_1", "nod_2"],
        answer: @escaping @Sendable (AgentCommand) throws(AgentError) -> CommandResult = { Pair.cancelled($0) },
        join: @escaping Join
    ) {
        (self.store, self.there, self.answer, self.join) = (store, there, answer, join)
    }

    var port: AgentsPort {
        AgentsPort(
            perform: { call, node throws(AgentError) in
                self.heard.withLock { $0.asked.append(call) }
                return try self.answer(call)
            },
            relay: { sender, source, receiver, target in
                self.heard.withLock { $0.relayed += [sender, receiver] }
                for (call, node) in [(receiver, target), (sender, source)] { await self.record(call, node) }
                return self.join(sender, receiver)
            }, cancel: { id, _ in self.heard.withLock { $0.cancelled.append(id) } }, connected: { self.there })
    }

    private func record(_ call: AgentCommand, _ node: String) async {
        _ = try? await store.insertCommand(
            CommandRecord(
                id: call.id, operation: call.trace, node: node, resource: call.resource,
                body: ["generation": .integer(call.generation)], createdAt: .now()))
    }

    /// As a node that has no interrupted receive and ends what it is asked to.
    static func cancelled(_ call: AgentCommand) -> CommandResult {
        call.action == "receive.state"
            ? AnsweringNode.result(call, .succeeded, observed: ["resume_token": nil])
            : AnsweringNode.result(call, .cancelled, .cancelled)
    }

    static func whole(_ sender: AgentCommand, _ receiver: AgentCommand) -> RelayOutcome {
        RelayOutcome(
            sender: .success(AnsweringNode.result(sender, .succeeded)),
            receiver: .success(AnsweringNode.result(receiver, .succeeded, observed: ["snapshot": "one"])), bytes: 77,
            broken: nil)
    }
}

@Suite struct `A transfer` {
    private static let request = TransferRequest(
        from: .init(node: "nod_1", dataset: "tank/a"), to: .init(node: "nod_2", dataset: "tank/b"), snapshot: "one",
        sending: ["from_snapshot": "zero"], receiving: ["overwrite": true])

    /// Orders it and runs it to its end.
    fileprivate func run(_ stage: Stage, _ pair: Pair) async throws -> OperationRecord {
        try await stage.addNode("nod_2")
        let ordered = try await stage.operations.transfer(Self.request, by: Stage.by).operation
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let dependencies = Dependencies(
            store: stage.store, agents: pair.port, catalogue: .tested, clock: stage.clock.port, logger: logger)
        let loading = OperationLoading(dependencies: dependencies, rules: .standard) { _, _ in }
        _ = try await loading.load(ordered, RunSignals()) { _ in true }.get()()
        return try await stage.outcome(ordered.id)
    }

    @Test func `joins what one node sends with what the other receives`() async throws {
        try await Stage.with { stage in
            let pair = Pair(stage.store) { Pair.whole($0, $1) }
            let ended = try await run(stage, pair)
            #expect(ended.state == .succeeded && ended.result?["bytes"] == 77)
            let calls = pair.heard.withLock { $0.relayed }
            #expect(calls.map(\.action) == ["dataset.send", "dataset.receive"])
            #expect(calls.map(\.resource) == ["zfs/tank/a", "zfs/tank/b"])
            #expect(calls[0].arguments == ["from_snapshot": "zero", "snapshot": "one", "dataset": "tank/a"])
            #expect(calls[1].arguments == ["overwrite": true, "dataset": "tank/b"])
        }
    }

    @Test func `goes on with what an interrupted receive has left, and says if that was another snapshot`() async throws
    {
        for (arrived, state) in [("one", OperationRecord.State.succeeded), ("older", .failed)] {
            try await Stage.with { stage in
                let pair = Pair(
                    stage.store,
                    answer: { AnsweringNode.result($0, .succeeded, observed: ["resume_token": "1-abc"]) },
                    join: { sender, receiver in
                        var outcome = Pair.whole(sender, receiver)
                        outcome.receiver = .success(
                            AnsweringNode.result(receiver, .succeeded, observed: ["snapshot": .string(arrived)]))
                        return outcome
                    })
                let ended = try await run(stage, pair)
                #expect(ended.state == state && (state == .succeeded || ended.error?.code == "other_snapshot"))
                let sent = pair.heard.withLock { $0.relayed[0].arguments }
                #expect(sent == ["dataset": "tank/a", "resume_token": "1-abc"])
            }
        }
    }

    fileprivate static func lost(_ sender: AgentCommand, _ receiver: AgentCommand) -> RelayOutcome {
        let lost = AgentError(retryable: true, code: "abandoned", message: "the controller stops")
        return RelayOutcome(
            sender: .failure(lost), receiver: .failure(lost), bytes: 5, broken: nil)
    }

    @Test func `that was cut off is ended at both nodes and not begun again`() async throws {
        try await Stage.with { stage in
            let pair = Pair(stage.store) { Self.lost($0, $1) }
            let ended = try await run(stage, pair)
            #expect(ended.state == .failed && ended.error?.code == "interrupted")
            #expect(ended.error?.message.contains("ask for it again") == true)
            let heard = pair.heard.withLock { $0 }
            #expect(heard.relayed.count == 2)
            #expect(heard.asked.map(\.action) == ["receive.state", "dataset.send", "dataset.receive"])
            #expect(heard.asked[1].id == heard.relayed[0].id && heard.asked[1].arguments == heard.relayed[0].arguments)
            #expect(heard.asked[2].id == heard.relayed[1].id)
            #expect(Set(heard.cancelled).isSuperset(of: heard.relayed.map(\.id)))
        }
    }

    @Test func `that had arrived whole when it was cut off has succeeded`() async throws {
        try await Stage.with { stage in
            let pair = Pair(
                stage.store,
                answer: { call in
                    call.action == "dataset.receive"
                        ? AnsweringNode.result(call, .succeeded, observed: ["bytes": 99]) : Pair.cancelled(call)
                }, join: { Self.lost($0, $1) })
            let ended = try await run(stage, pair)
            #expect(ended.state == .succeeded && ended.result?["bytes"] == 99)
        }
    }

    @Test func `names the end that failed by itself`() async throws {
        let cases: [(sender: CommandStatus, receiver: CommandStatus, told: String)] = [
            (.failed, .cancelled, "the sender:"), (.cancelled, .failed, "the receiver:"),
            (.refused, .cancelled, "the sender:"),
        ]
        for one in cases {
            try await Stage.with { stage in
                let pair = Pair(stage.store) { sender, receiver in
                    func result(_ call: AgentCommand, _ status: CommandStatus) -> CommandResult {
                        AnsweringNode.result(call, status, status == .cancelled ? .cancelled : .conflict)
                    }
                    return RelayOutcome(
                        sender: .success(result(sender, one.sender)),
                        receiver: .success(result(receiver, one.receiver)),
                        bytes: 1, broken: nil)
                }
                let ended = try await run(stage, pair)
                #expect(ended.state == .failed && ended.error?.message.hasPrefix(one.told) == true, "\(ended)")
            }
        }
    }

    @Test func `is not begun while a node is away`() async throws {
        try await Stage.with { stage in
            let pair = Pair(stage.store, there: ["nod_1"]) { Pair.whole($0, $1) }
            let ended = try await run(stage, pair)
            #expect(ended.state == .failed && ended.error?.code == "unreachable")
            #expect(pair.heard.withLock { $0.relayed.isEmpty && $0.asked.isEmpty })
        }
    }

    @Test func `is taken once for one key, not to where it comes from, and not by a revoked node`() async throws {
        try await Stage.with { stage in
            try await stage.addNode("nod_2")
            let by = Requester(name: "test", idempotencyKey: "k")
            let first = try await stage.operations.transfer(Self.request, by: by)
            let second = try await stage.operations.transfer(Self.request, by: by)
            #expect(first.created && !second.created && first.operation.id == second.operation.id)
            var other = Self.request
            other.target = other.source
            await #expect(throws: CoreError.self) { try await stage.operations.transfer(other, by: by) }
            try await stage.teach()
            await #expect(throws: CoreError.self) { try await stage.operations.transfer(Self.request, by: Stage.by) }
        }
    }
}

extension `A transfer` {
    /// Journals of transfers that ended well, badly and in the middle.
    static func recorded() async throws -> [RecordedJournal] {
        var journals: [RecordedJournal] = []
        let joins: [(String, Pair.Join)] = [("done", Pair.whole), ("cut off", lost)]
        for (name, join) in joins {
            try await Stage.with { stage in
                let ended = try await Self().run(stage, Pair(stage.store, join: join))
                journals.append(try await stage.recorded("transfer, \(name)", ended.id))
            }
        }
        try await Stage.with { stage in
            let pair = Pair(stage.store, there: ["nod_1"], join: Pair.whole)
            let ended = try await Self().run(stage, pair)
            journals.append(try await stage.recorded("transfer, a node away", ended.id))
        }
        return journals
    }
}
