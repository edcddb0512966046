import Model
import Saga
import Store
import Testing
import WireProtocol

@testable import ContainerProduct
@testable import ControllerCore

/// Operations outlive the version that they began under: what released versions have written goes on under this one.
@Suite struct JournalReplayTests {
    @Test func `there are journals of every kind, ended in every way`() {
        let kinds = Set(RecordedJournal.all.map(\.kind))
        #expect(kinds.isSuperset(of: Container.product.verbs.map(\.verb.name) + [NodeCommand.kind, Transfer.kind]))
        #expect(
            Set(RecordedJournal.all.map(\.state)) == ["succeeded", "failed", "cancelled", "needs_attention"])
    }

    @Test(arguments: RecordedJournal.all)
    func `a journal of a released version goes on from each of its entries as it went on then`(
        journal: RecordedJournal
    ) throws {
        let entries = try journal.entries.map { (entry: try JournalEntry(json: $0.entry), time: $0.time) }
        let table = try #require(Self.table(of: journal))
        for length in 1..<entries.count {
            let machine = try SagaMachine.replay(Array(entries[..<length]), of: table, operation: "op")
            let (next, time) = entries[length]
            var called = false
            if case .unwindStarted(let cause, _) = next { called = cause.code == StepFailure.cancelled.code }
            let decision = machine.next(now: time, cancelled: called)
            #expect(decision.leads(to: next, in: table), "entry \(length + 1): \(decision) but it was \(next)")
        }
        let whole = try SagaMachine.replay(entries, of: table, operation: "op")
        guard case .finished(let outcome) = whole.phase else {
            Issue.record("the journal has no end")
            return
        }
        #expect(outcome.state.rawValue == journal.state)
    }

    private static func table(of journal: RecordedJournal) -> SagaTable? {
        let revision = journal.entries.first?.entry["context"]?[SagaTable.revisionKey]?.asInteger ?? 1
        return Container.product.verb(journal.kind)?.tables.first { $0.revision == revision }
            ?? Self.direct(journal.kind)
    }

    private static func direct(_ kind: String) -> SagaTable? {
        let command = NodeCommand(
            node: "n", driver: "d", action: "o", resource: "r", deadline: .seconds(60), mutates: true)
        switch kind {
        case NodeCommand.kind: return CommandSaga.definition(of: command).table
        case Transfer.kind:
            return TransferSaga.definition(of: Transfer(sender: command, receiver: command, snapshot: "s")).table
        default: return nil
        }
    }

    // MARK: what does not fit

    @Test(
        arguments: [
            (
                ["entry": "step_started", "step": "migrate", "attempt": 1, "command": "op.m.1"],
                "has no step \"migrate\""
            ),
            (["entry": "undone", "step": "container"], "undone cannot come while the saga is going forward"),
            (["entry": "step_succeeded", "step": "container", "output": [:]], "step \"container\" is pending"),
            (["entry": "paused"], "there is no entry \"paused\""),
        ] as [(JSONObject, String)])
    func `a journal that fits no table ends its operation with a sentence, and the others go on`(
        entry: JSONObject, words: String
    ) async throws {
        try await Stage.with { stage in
            let service = try await stage.provision()
            let order = try await stage.operations.suspend(service.id, by: Stage.by)
            let now = stage.clock.port.now()
            _ = try await stage.store.claimOperation(order.operation.id, at: now)
            let start: JSONObject = ["entry": "started", "deadline": 1, "context": ["from": "running"]]
            try await stage.store.appendJournal(
                order.operation.id, after: 0, [.object(start), .object(entry)], at: now)
            try await stage.executing { _, operations in
                let other = try await operations.createService(
                    ServiceRequest(customer: "c", plan: "small"), by: Stage.by)
                try await stage.until("both end") {
                    let states = (try await stage.state(order), try await stage.state(other))
                    return states.0.isFinished && states.1 == .succeeded
                }
            }
            let ended = try await stage.outcome(order.operation.id)
            #expect(ended.state == .needsAttention)
            #expect(ended.error?.message.contains("the journal cannot be replayed: ") == true)
            #expect(ended.error?.message.contains(words) == true, "\(ended.error?.message ?? "")")
            let log = try await stage.store.log(order.operation.id, after: 0, limit: 10)
            #expect(log.contains { $0.level == "error" && $0.text.contains(words) })
        }
    }
}

extension SagaDecision {
    /// Whether `entry` is what comes of it.
    fileprivate func leads(to entry: JournalEntry, in table: SagaTable) -> Bool {
        func name(_ step: Int) -> String { table.steps[step].name }
        switch (self, entry) {
        case (.record(.started), .started), (.record(.unwindStarted), .unwindStarted): return true
        // A command that was cut off in the middle is not said to have failed: nobody knows.
        case (.record(.finished(.failed)), .finished(.needsAttention(_, leftovers: []))): return true
        case (.record(let decided), _): return decided == entry
        case (.perform(let step, _, _), .stepSucceeded(let ended, _)),
            (.perform(let step, _, _), .stepFailed(let ended, _)),
            (.undo(let step, _, _), .undone(let ended)), (.undo(let step, _, _), .undoFailed(let ended, _)):
            return name(step) == ended
        default: return false
        }
    }
}
