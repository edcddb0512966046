import Placement
import Saga
import Store
import Synchronization
import WireProtocol

/// Makes a run out of what the store holds of an operation.
struct OperationLoading: Sendable {
    let dependencies: Dependencies
    let rules: PlacementRules
    let note: @Sendable (_ step: String, _ text: String) -> Void

    /// Takes an operation on its way; throws when the store fails.
    typealias Work = @Sendable () async throws -> RunEnding

    func load(
        _ operation: OperationRecord, _ signals: RunSignals, _ admit: @escaping @Sendable (String) async -> Bool
    ) async throws(StoreError) -> Result<Work, UnusableOperation> {
        guard let type = dependencies.catalogue.type(operation.kind) else {
            return .failure(
                UnusableOperation(sentence: "this version does not know operations of kind \(operation.kind)"))
        }
        let journal = try await dependencies.store.journal(operation.id)
        let revision = Self.revision(of: journal)
        do {
            let work = try await type.prepare(
                Preparation(
                    dependencies: dependencies, rules: rules, operation: operation, revision: revision, note: note))
            if let revision, revision != work.saga.table.revision {
                return .failure(UnusableOperation(revision: revision, of: operation.kind))
            }
            let always: @Sendable (String) async -> Bool = { _ in true }
            return .success(
                Self.once(
                    try OperationRun(
                        work, dependencies: dependencies, operation: operation, journal: journal, signals: signals,
                        admit: type.places == .shared ? admit : always)))
        } catch let error as StoreError {
            throw error
        } catch let error as UnusableOperation {
            return .failure(error)
        } catch {
            return .failure(UnusableOperation(sentence: "\(error)"))
        }
    }

    private static func revision(of journal: [JournalRecord]) -> Int64? {
        guard let start = journal.first?.entry else { return nil }
        return start["context"]?[SagaTable.revisionKey]?.asInteger ?? 1
    }

    private static func once(_ run: sending OperationRun) -> Work {
        let start = Mutex<OperationRun?>(run)
        return {
            guard var run = start.withLock({ $0.take() }) else { return .stopped }
            return try await run.run()
        }
    }
}
