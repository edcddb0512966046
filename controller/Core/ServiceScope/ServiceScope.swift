package import Placement
package import Saga
package import Store
import WireProtocol

/// What a step of a service's saga may touch. Everything that goes into a command comes from here and from recorded
/// outputs, so that a step that is repeated after a crash sends the very same command.
package struct ServiceScope: Sendable {
    package let dependencies: Dependencies
    package let rules: PlacementRules
    package let operation: OperationRecord
    package let verb: Verb
    /// As it was when the run took the operation up; only the operation's end changes its specification.
    package let service: ServiceRecord
    /// Writes a line into the operation's log.
    package let note: @Sendable (_ step: String, _ text: String) -> Void

    package init(
        dependencies: Dependencies, rules: PlacementRules, operation: OperationRecord, verb: Verb,
        service: ServiceRecord,
        note: @escaping @Sendable (_ step: String, _ text: String) -> Void
    ) {
        (self.dependencies, self.rules, self.operation) = (dependencies, rules, operation)
        (self.verb, self.service, self.note) = (verb, service, note)
    }
}

/// What the steps of a product work in: the core's part, and what the product puts beside it.
package protocol ServiceWork: Sendable {
    var scope: ServiceScope { get }
}

extension ServiceWork {
    package var dependencies: Dependencies { scope.dependencies }
    package var operation: OperationRecord { scope.operation }
    package var service: ServiceRecord { scope.service }

    /// A transaction of the store as a step's work.
    package func locally<Value: Sendable>(
        _ body: @escaping @Sendable (isolated Store) throws(StoreError) -> Result<Value, StepFailure>
    ) async throws(StepFailure) -> Value {
        let result: Result<Value, StepFailure>
        do throws(StoreError) {
            result = try await dependencies.store.atomically(body)
        } catch {
            throw StepFailure(
                error.isRetryable ? .retryable : .final, code: "store", message: "\(error)", effect: .none)
        }
        return try result.get()
    }

    /// Gives back all that the service holds. Only after everything of it is gone.
    package func release() async throws(StepFailure) {
        let (id, now, rules) = (service.id, dependencies.clock.now(), dependencies.allocation)
        try await locally { store throws(StoreError) -> Result<Void, StepFailure> in
            try store.releaseAll(service: id, at: now, by: rules)
            try store.updateService(id, at: now) { $0.node = nil }
            return .success(())
        }
    }
}

extension ServiceScope: ServiceWork {
    package var scope: ServiceScope { self }
}
