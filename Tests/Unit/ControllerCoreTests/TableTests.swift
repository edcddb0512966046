import Model
import Placement
import Saga
import Store
import Testing
import WireProtocol

@testable import ContainerProduct
@testable import ControllerCore

/// Tables of sagas outlive the version that they are written in: journals in flight name their steps.
@Suite struct TableTests {
    /// Revision, then steps with `*` for those with an undo and `?` for auxiliary ones. A change of a table is a further
    /// revision; the one before goes into `earlier`, and a line here beside it.
    private static let released: [String: [String]] = [
        "provision": ["1 place* dataset* image container* snapshot?"],
        "suspend": ["1 place container*"],
        "resume": ["1 place container*"],
        "upgrade": ["1 place usage room* quota* limits* settle*"],
        "repair": ["1 place dataset image container"],
        "terminate": ["1 place container dataset release"],
    ]

    @Test(arguments: Container.product.verbs.map(\.verb.name))
    func `every table that was released is there under its revision`(kind: String) throws {
        let tables = try #require(Container.product.verb(kind)).tables
        let lines = tables.map { table in
            let steps = table.steps.map { "\($0.name)\($0.undoable ? "*" : "")\($0.weight == .auxiliary ? "?" : "")" }
            return "\(table.revision) \(steps.joined(separator: " "))"
        }
        #expect(lines == Self.released[kind])
        // A step says where the operation works, whatever it is called.
        #expect(tables.allSatisfy { $0.steps.contains(where: \.places) })
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
            let loading = OperationLoading(dependencies: stage.dependencies, rules: .standard) { _, _ in }
            guard case .failure(let problem) = try await loading.load(record, RunSignals(), { _ in true }) else {
                Issue.record("it was loaded")
                return
            }
            #expect(problem.sentence.contains("revision 99 of the steps of resume"))
        }
    }
}
