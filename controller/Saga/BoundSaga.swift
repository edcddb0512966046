package import WireProtocol

/// A saga with what its steps work in: all that the driver of a machine has to know.
package struct BoundSaga: Sendable {
    package let table: SagaTable
    package let steps: [BoundStep]
}

/// One step of a bound saga.
package struct BoundStep: Sendable {
    package let policy: StepPolicy
    package let act: @Sendable (StepCall) async throws(StepFailure) -> JSONValue
    package let undo: @Sendable (StepCall) async throws(StepFailure) -> Void
}

extension SagaDefinition {
    /// The saga for one operation.
    package func bound(to scope: Scope) -> BoundSaga {
        BoundSaga(
            table: table,
            steps: steps.map { step in
                BoundStep(
                    policy: step.policy,
                    act: { call throws(StepFailure) in try await step.act(scope, call) },
                    undo: { call throws(StepFailure) in try await step.undo?(scope, call) })
            })
    }
}
