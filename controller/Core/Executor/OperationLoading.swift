import Placement
import Saga
import Store
import Synchronization
import WireProtocol

/// Why an operation cannot be run at all.
struct UnusableOperation: Error, Sendable {
    var sentence: String
}

/// Makes a run out of what the store holds of an operation.
struct OperationLoading: Sendable {
    let world: World
    let rules: PlacementRules
    let note: @Sendable (_ step: String, _ text: String) -> Void

    /// Takes an operation on its way; throws when the store fails.
    typealias Work = @Sendable () async throws -> RunEnding

    func load(
        _ operation: OperationRecord, _ signals: RunSignals, _ admit: @escaping @Sendable (String) async -> Bool
    ) async throws(StoreError) -> Result<Work, UnusableOperation> {
        if operation.kind == NodeCommand.kind {
            return try await prepare(operation, signals, { _ in true }) { _ in
                let command = try NodeCommand(operation)
                let scope = CommandScope(world: world, operation: operation, command: command, note: note)
                return (CommandSaga.definition(of: command), scope)
            }
        }
        if operation.kind == Transfer.kind {
            return try await prepare(operation, signals, { _ in true }) { _ in
                let transfer = try Transfer(operation)
                let scope = TransferScope(world: world, operation: operation, transfer: transfer, note: note)
                return (TransferSaga.definition(of: transfer), scope)
            }
        }
        guard let kind = OperationKind(rawValue: operation.kind) else {
            return .failure(
                UnusableOperation(sentence: "this version does not know operations of kind \(operation.kind)"))
        }
        guard let id = operation.service, let service = try await world.store.service(id) else {
            return .failure(UnusableOperation(sentence: "the operation's service is not there"))
        }
        return try await prepare(operation, signals, admit) { revision in
            guard let definition = kind.saga.definition(revision: revision) else {
                throw UnusableOperation(
                    sentence: "it began under revision \(revision ?? 0) of the steps of \(kind.rawValue), "
                        + "which this version does not know")
            }
            let scope = ServiceScope(
                world: world, rules: rules, operation: operation, kind: kind, service: service,
                spec: try spec(service, kind), note: note)
            return (definition, scope)
        }
    }

    /// - Parameter make: the saga and what it may touch, from the revision of its table, nil for one that has not begun;
    ///   throws when the record makes none.
    private func prepare<Scope: RunScope>(
        _ operation: OperationRecord, _ signals: RunSignals, _ admit: @escaping @Sendable (String) async -> Bool,
        _ make: (_ revision: Int64?) throws -> (SagaDefinition<Scope>, Scope)
    ) async throws(StoreError) -> Result<Work, UnusableOperation> {
        let journal = try await world.store.journal(operation.id)
        do {
            let (definition, scope) = try make(Self.revision(of: journal))
            return .success(
                work(try OperationRun(definition, scope: scope, journal: journal, signals: signals, admit: admit)))
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

    private func work<Scope>(_ run: sending OperationRun<Scope>) -> Work {
        let start = Mutex<OperationRun<Scope>?>(run)
        return {
            guard var run = start.withLock({ $0.take() }) else { return .stopped }
            return try await run.run()
        }
    }

    /// A removal must work whatever the specification says, and needs nothing of it.
    private func spec(_ service: ServiceRecord, _ kind: OperationKind) throws(CoreError) -> PlanSpec {
        do throws(CoreError) {
            return try PlanSpec(json: service.spec)
        } catch {
            guard kind == .terminate else { throw error }
            return try PlanSpec(json: [
                "image": "none", "memory_bytes": 6_291_456, "cpu_millis": 10, "disk_bytes": 1_048_576,
            ])
        }
    }
}
