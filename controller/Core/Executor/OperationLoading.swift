import Placement
import Saga
import Store
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

    func load(
        _ operation: OperationRecord, _ signals: RunSignals, _ admit: @escaping @Sendable (String) async -> Bool
    ) async throws(StoreError) -> Result<OperationRun, UnusableOperation> {
        guard let kind = OperationKind(rawValue: operation.kind) else {
            return .failure(
                UnusableOperation(sentence: "this version does not know operations of kind \(operation.kind)"))
        }
        guard let id = operation.service, let service = try await world.store.service(id) else {
            return .failure(UnusableOperation(sentence: "the operation's service is not there"))
        }
        let journal = try await world.store.journal(operation.id)
        do {
            let scope = ServiceScope(
                world: world, rules: rules, operation: operation, service: service, spec: try spec(service, kind),
                note: note)
            return .success(
                try OperationRun(kind, scope: scope, journal: journal, signals: signals, admit: admit))
        } catch {
            return .failure(UnusableOperation(sentence: "\(error)"))
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
