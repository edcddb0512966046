import Saga

/// One step of an operation, as it stands in the table before anything has begun.
package struct StepOutline: Sendable, Hashable {
    package var name: String
    /// Its failure is a warning.
    package var isAuxiliary: Bool
}

extension ProductVerb {
    /// The steps in their order.
    package var outline: [StepOutline] { tables[0].outline }
}

extension SagaTable {
    var outline: [StepOutline] { steps.map { StepOutline(name: $0.name, isAuxiliary: $0.weight == .auxiliary) } }
}
