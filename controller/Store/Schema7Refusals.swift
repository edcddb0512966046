extension Schema {
    /// Refusals were once kept as answers to repeats, for a day; they are judged anew now.
    static let schema7Refusals = "DELETE FROM idempotency WHERE status >= 400;"
}
