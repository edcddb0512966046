import JournalSupport
import Model
import Saga
import Store
import Synchronization
import Testing
import WireProtocol

@testable import ControllerCore
@testable import HelmStoreProduct

/// Operations on shops outlive the version that they began under.
@Suite struct ShopJournalTests {
    private static let product = "store"

    @Test func `there are journals of every verb`() {
        let kinds = Set(RecordedJournal.all(of: Self.product).map(\.kind))
        #expect(kinds == Set(HelmStore.product.verbs.map(\.verb.name)))
    }

    @Test(arguments: RecordedJournal.all(of: product))
    func `a journal goes on from each of its entries as it went on then`(journal: RecordedJournal) throws {
        let tables = HelmStore.product.verb(journal.kind)?.tables ?? []
        let table = try #require(tables.first { $0.revision == journal.revision })
        #expect(try journal.differences(under: table) == [])
    }

    @Test(.enabled(if: JournalFolder.version != nil))
    func `the journals of this version are written down`() async throws {
        let version = try #require(JournalFolder.version)
        var journals: [RecordedJournal] = []
        for act in ShopAct.all { journals += try await Self.journals(of: act) }
        try JournalFolder.write(journals, to: "\(version)/\(Self.product)")
    }

    private static func journals(of act: ShopAct) async throws -> [RecordedJournal] {
        var (journals, commands): ([RecordedJournal], Int) = ([], 0)
        try await ShopScene.with(act) { scene in
            try await scene.stage.finish(scene.operation)
            commands = scene.stage.cluster.state.withLock { $0.numbers.count }
            journals.append(try await scene.recorded("\(act.testDescription), done"))
        }
        for number in 1...commands {
            for fault in [Fault.refused, .failsAfter, .answerLost, .interruptedAfter] {
                try await ShopScene.with(act) { scene in
                    scene.stage.cluster.change { $0.faults = [number: fault] }
                    try await scene.stage.finish(scene.operation)
                    journals.append(try await scene.recorded("\(act.testDescription), command \(number) \(fault)"))
                }
            }
        }
        for moment in [3, 6, 9] where act.verb != "terminate" {
            try await ShopScene.with(act) { scene in
                guard try await scene.stage.run(scene.operation, stopAt: moment) == .stopped else { return }
                _ = try await scene.stage.operations.cancel(scene.operation, by: ShopStage.by)
                try await scene.stage.finish(scene.operation)
                journals.append(try await scene.recorded("\(act.testDescription), called off at \(moment)"))
            }
        }
        return journals
    }
}

extension ShopScene {
    /// The journal of the operation, which has ended, with plain names in the place of ids.
    fileprivate func recorded(_ name: String) async throws -> RecordedJournal {
        let record = try await stage.outcome(operation)
        let entries = try await stage.store.journal(operation).map { row in
            let text = row.entry.text.replacing(operation, with: "op").replacing(service, with: "svc")
            return (entry: try JSONParser.parse(Array(text.utf8)).asObject ?? [:], time: row.time)
        }
        return RecordedJournal(name: name, kind: record.kind, state: record.state.rawValue, entries: entries)
    }
}
