/// What a message of a tool means. Tools tell failures apart by words alone: their exit codes do not.
package struct FailureRule: Sendable {
    /// In lower case; they occur in the message.
    package let words: String
    package let code: DriverErrorCode
    /// One sentence for people.
    package let meaning: String
    /// Nil leaves it to the code.
    package let retryable: Bool?

    package init(_ words: String, _ code: DriverErrorCode, _ meaning: String, retryable: Bool? = nil) {
        self.words = words
        self.code = code
        self.meaning = meaning
        self.retryable = retryable
    }
}

extension [FailureRule] {
    /// The error of a message: the first rule whose words occur decides.
    /// - Parameters:
    ///   - otherwise: the meaning of a message that no rule knows.
    ///   - cause: what the tool said, shortened and without secrets.
    package func error(_ message: String, otherwise: String, cause: String) -> DriverError {
        let lowered = message.lowercased()
        let rule = first { lowered.contains($0.words) }
        return DriverError(
            rule?.code ?? .failed, rule?.meaning ?? otherwise, retryable: rule?.retryable, cause: cause)
    }
}
