package import Model

/// Where the answers to idempotency keys are kept, so that they outlive the process.
package struct KeptAnswers: Sendable {
    /// One use of a key.
    package struct Use: Sendable, Hashable {
        package let caller: String
        package let key: String
        /// Of the request: two are the same where it is.
        package let digest: String
        package let time: Timestamp
    }

    /// What came of taking a key.
    package enum Outcome: Sendable, Hashable {
        /// It was free, and is taken now.
        case fresh
        /// It was used for the same request, which got this answer.
        case answered(status: Int, text: String)
        /// It was taken for the same request, and there is no answer yet.
        case taken
        /// It was used for another request.
        case mismatch
    }

    let begin: @Sendable (Use) async throws -> Outcome
    let finish: @Sendable (Use, _ status: Int, _ text: String) async throws -> Void
    let drop: @Sendable (Use) async throws -> Void

    /// - Parameters:
    ///   - begin: takes the key.
    ///   - finish: keeps the answer.
    ///   - drop: gives the key free; nothing was done.
    package init(
        begin: @escaping @Sendable (Use) async throws -> Outcome,
        finish: @escaping @Sendable (Use, _ status: Int, _ text: String) async throws -> Void,
        drop: @escaping @Sendable (Use) async throws -> Void
    ) {
        self.begin = begin
        self.finish = finish
        self.drop = drop
    }
}
