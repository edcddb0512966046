/// What is wrong with a JSON body, and in which field.
package struct BodyError: Error, Sendable, Hashable, CustomStringConvertible {
    /// `spec.memory_bytes`, `labels.zone`; empty when the body as a whole is wrong.
    package let field: String
    /// One clause: "must be a string", "is missing", "is not a known field".
    package let problem: String

    package init(field: String, problem: String) {
        self.field = field
        self.problem = problem
    }

    package var description: String {
        field.isEmpty ? "the body \(problem)" : "field \(field) \(problem)"
    }
}
