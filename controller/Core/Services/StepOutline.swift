import Saga

/// One step of an operation, as it stands in the table before anything has begun.
package struct StepOutline: Sendable, Hashable {
    package var name: String
    /// Its failure is a warning.
    package var isAuxiliary: Bool
}

extension OperationKind {
    /// The steps in their order.
    package var steps: [StepOutline] {
        saga.definition.table.steps.map { StepOutline(name: $0.name, isAuxiliary: $0.weight == .auxiliary) }
    }
}
