/// How much a transaction does: nobody else gets at the store meanwhile.
struct Effort: Sendable, Hashable {
    var statements = 0
    /// That were changed.
    var rows = 0

    /// Nothing more should be begun in this transaction.
    var isEnough: Bool { rows >= Intake.rowLimit || statements >= 5 * Intake.rowLimit }

    func larger(_ other: Effort) -> Effort {
        Effort(statements: max(statements, other.statements), rows: max(rows, other.rows))
    }
}

/// Counts what is asked of the database.
struct EffortMeter: Sendable {
    /// What the transaction that is open has done so far.
    private(set) var current = Effort()
    /// What the largest transactions since the store was opened have done.
    private(set) var peak = Effort()
    /// Asked since the store was opened.
    private(set) var statements = 0

    mutating func begin() { current = Effort() }

    mutating func end() { peak = peak.larger(current) }

    mutating func count(rows: Int) {
        statements += 1
        current.statements += 1
        current.rows += rows
    }

    mutating func forgetPeak() { peak = Effort() }
}
