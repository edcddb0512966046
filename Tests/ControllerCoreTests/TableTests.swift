import Model
import Placement
import Saga
import Store
import Testing
import WireProtocol

@testable import ControllerCore

/// Tables of sagas outlive the version that they are written in: journals in flight name their steps.
@Suite struct TableTests {
    /// Revision, then steps with `*` for those with an undo and `?` for auxiliary ones. A change of a table is a further
    /// revision; the one before goes into `earlier`, and a line here beside it.
    private static let released: [OperationKind: [String]] = [
        .provision: ["1 place* dataset* image container* snapshot?"],
        .suspend: ["1 place container*"],
        .resume: ["1 place container*"],
        .upgrade: ["1 place usage room* quota* limits* settle*"],
        .repair: ["1 place dataset image container"],
        .terminate: ["1 place container dataset release"],
    ]

    @Test(arguments: OperationKind.allCases)
    func `every table that was released is there under its revision`(kind: OperationKind) {
        let tables = ([kind.saga.definition] + kind.saga.earlier).map(\.table)
        let lines = tables.map { table in
            let steps = table.steps.map { "\($0.name)\($0.undoable ? "*" : "")\($0.weight == .auxiliary ? "?" : "")" }
            return "\(table.revision) \(steps.joined(separator: " "))"
        }
        #expect(lines == Self.released[kind])
        // A step says where the operation works, whatever it is called.
        #expect(tables.allSatisfy { $0.steps.contains(where: \.places) })
    }

    /// As version 0.1 wrote them, without a revision.
    private static let journals: [OperationKind: [JSONObject]] = [
        .suspend: [
            ["entry": "started", "deadline": 1_800_001_800_000, "context": ["from": "running", "generation_base": 0]],
            ["entry": "step_started", "step": "place", "attempt": 1, "command": "op.place.1"],
            [
                "entry": "step_succeeded", "step": "place",
                "output": ["node": "nod_1", "pool": "tank", "dataset": "tank/innkeeper/s", "container": "s"],
            ],
            ["entry": "step_started", "step": "container", "attempt": 1, "command": "op.container.1"],
            ["entry": "step_succeeded", "step": "container", "output": ["state": "exited"]],
            ["entry": "finished", "outcome": "succeeded"],
        ],
        .terminate: [
            ["entry": "started", "deadline": 1_800_003_600_000, "context": ["from": "running", "generation_base": 0]],
            ["entry": "step_started", "step": "place", "attempt": 1, "command": "op.place.1"],
            [
                "entry": "step_succeeded", "step": "place",
                "output": ["node": "nod_1", "pool": "tank", "dataset": "tank/innkeeper/s", "container": "s"],
            ],
            ["entry": "step_started", "step": "container", "attempt": 1, "command": "op.container.1"],
            ["entry": "step_succeeded", "step": "container", "output": ["name": "s", "state": "absent"]],
            ["entry": "step_started", "step": "dataset", "attempt": 1, "command": "op.dataset.1"],
            ["entry": "step_succeeded", "step": "dataset", "output": [:]],
            ["entry": "step_started", "step": "release", "attempt": 1, "command": "op.release.1"],
            ["entry": "step_succeeded", "step": "release", "output": nil],
            ["entry": "finished", "outcome": "succeeded"],
        ],
    ]

    @Test(arguments: [OperationKind.suspend, .terminate])
    func `a journal of a released version goes on from each of its entries`(kind: OperationKind) throws {
        let journal = try #require(Self.journals[kind])
        let found = kind.saga.definition(revision: 1)
        let definition = try #require(found)
        let now = Timestamp(milliseconds: 1_800_000_000_000)
        for length in 1...journal.count {
            let entries = try journal.prefix(length).map { (entry: try JournalEntry(json: $0), time: now) }
            let machine = try SagaMachine.replay(entries, of: definition.table, operation: "op")
            let decision = machine.next(now: now, cancelled: false)
            if length == journal.count { #expect(decision == .done(.succeeded)) }
        }
    }

    @Test func `an operation notes the revision that it begins with, and goes on under no other`() async throws {
        try await Stage.with { stage in
            let service = try await stage.provision()
            let order = try await stage.operations.suspend(service.id, by: Stage.by)
            try await stage.finish(order.operation.id)
            let start = try #require(try await stage.store.journal(order.operation.id).first?.entry)
            #expect(start["context"]?[SagaTable.revisionKey] == 1)

            let next = try await stage.operations.resume(service.id, by: Stage.by)
            // As a newer version, since taken back, has begun it.
            _ = try await stage.store.claimOperation(next.operation.id, at: stage.clock.port.now())
            try await stage.store.appendJournal(
                next.operation.id, after: 0,
                [["entry": "started", "deadline": 1, "context": [SagaTable.revisionKey: 99]]],
                at: stage.clock.port.now())
            let record = try await stage.outcome(next.operation.id)
            let loading = OperationLoading(world: stage.world, rules: .standard) { _, _ in }
            guard case .failure(let problem) = try await loading.load(record, RunSignals(), { _ in true }) else {
                Issue.record("it was loaded")
                return
            }
            #expect(problem.sentence.contains("revision 99 of the steps of resume"))
        }
    }
}
