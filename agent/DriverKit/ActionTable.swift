extension Sequence {
    /// Runs the row that bears the call's name on the subject, once its arguments are read and its mark is compared.
    /// - Throws: `unsupported` when there is no such row, otherwise what the row throws with action and resource filled in.
    package func perform<Subject>(
        _ call: ActionCall, on subject: Subject, _ context: ActionContext
    ) async throws(DriverError) -> ActionOutcome where Element == Action<Subject> {
        guard let row = first(where: { $0.spec.name == call.action }) else {
            throw DriverError(.unsupported, "this driver has no action \(call.action)").about(call)
        }
        do {
            let call = try row.spec.reading(call)
            let note = try await (subject as? any MarkStore)?.compare(call)
            let outcome = try await row.body(subject, call, context)
            return note.map(outcome.noting) ?? outcome
        } catch {
            throw error.about(call)
        }
    }
}
