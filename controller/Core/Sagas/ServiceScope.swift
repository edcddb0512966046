import Placement
import Saga
import Store
import WireProtocol

/// What a step of a service's saga may touch. Everything that goes into a command comes from here and from recorded
/// outputs, so that a step that is repeated after a crash sends the very same command.
struct ServiceScope: Sendable {
    let world: World
    let rules: PlacementRules
    let operation: OperationRecord
    let kind: OperationKind
    /// As it was when the run took the operation up; only the operation's end changes its specification.
    let service: ServiceRecord
    let spec: PlanSpec
    /// Writes a line into the operation's log.
    let note: @Sendable (_ step: String, _ text: String) -> Void
}

extension ServiceScope {
    /// A transaction of the store as a step's work.
    func locally<Value: Sendable>(
        _ body: @escaping @Sendable (isolated Store) throws(StoreError) -> Result<Value, StepFailure>
    ) async throws(StepFailure) -> Value {
        let result: Result<Value, StepFailure>
        do throws(StoreError) {
            result = try await world.store.atomically(body)
        } catch {
            throw StepFailure(
                error.isRetryable ? .retryable : .final, code: "store", message: "\(error)", effect: .none)
        }
        return try result.get()
    }
}
