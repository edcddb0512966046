import JournalSupport
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
        let kinds = Set(RecordedJournal.all().map(\.kind))
        #expect(kinds.isSuperset(of: Container.product.verbs.map(\.verb.name) + [NodeCommand.kind, Transfer.kind]))
        #expect(
            Set(RecordedJournal.all().map(\.state)) == ["succeeded", "failed", "cancelled", "needs_attention"])
    }

    @Test(arguments: RecordedJournal.all())
    func `a journal of a released version goes on from each of its entries as it went on then`(
        journal: RecordedJournal
    ) throws {
        #expect(try journal.differences(under: #require(Self.table(of: journal))) == [])
    }

    private static func table(of journal: RecordedJournal) -> SagaTable? {
        Container.product.verb(journal.kind)?.tables.first { $0.revision == journal.revision }
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
