/// What was tried and how it ended, for the table.
struct Tally: Sendable {
    struct Row: Sendable {
        /// Durable writes that were found.
        var writes = 0
        /// Moments of them at which a daemon was to die; it did; all was right afterwards.
        var points = 0, reached = 0, right = 0
    }

    private var rows: [String: Row] = [:]
    private var order: [String] = []
    /// What went wrong, in words.
    private(set) var faults: [String] = []
    /// The first marks of what was found.
    private(set) var kinds: Set<String> = []

    var points: Int { rows.values.reduce(0) { $0 + $1.points } }
    var reached: Int { rows.values.reduce(0) { $0 + $1.reached } }
    var right: Int { rows.values.reduce(0) { $0 + $1.right } }

    /// - Parameter subject: daemon and work, in two words or more: `agent provision`.
    mutating func found(_ subject: String, writes: Int, kinds: [String] = []) {
        change(subject) { $0.writes += writes }
        self.kinds.formUnion(kinds)
    }

    mutating func tried(_ subject: String, _ point: String, hasDied: Bool, faults: [String]) {
        change(subject) { row in
            row.points += 1
            row.reached += hasDied ? 1 : 0
            row.right += hasDied && faults.isEmpty ? 1 : 0
        }
        if !hasDied { self.faults.append("\(point): it did not come to this") }
        self.faults += faults.map { "\(point): \($0)" }
    }

    mutating func add(_ other: Tally) {
        for subject in other.order {
            let more = other.rows[subject] ?? Row()
            change(subject) { row in
                row.writes += more.writes
                row.points += more.points
                row.reached += more.reached
                row.right += more.right
            }
        }
        faults += other.faults
        kinds.formUnion(other.kinds)
    }

    private mutating func change(_ subject: String, _ body: (inout Row) -> Void) {
        if rows[subject] == nil { order.append(subject) }
        body(&rows[subject, default: Row()])
    }

    /// One line each: daemon, work, durable writes, points tried, reached and right.
    var table: String {
        let head = ["daemon", "work", "writes", "points", "reached", "right"]
        let body = order.map { subject in
            let row = rows[subject] ?? Row()
            let words = subject.split(separator: " ", maxSplits: 1).map(String.init)
            return words + [row.writes, row.points, row.reached, row.right].map { "\($0)" }
        }
        let sum = ["all", "", "", "\(points)", "\(reached)", "\(right)"]
        return ([head] + body + [sum]).map(Self.line).joined(separator: "\n")
    }

    private static func line(_ cells: [String]) -> String {
        zip(cells, [12, 22, 8, 8, 9, 7]).map { cell, width in
            let space = String(repeating: " ", count: max(0, width - cell.count))
            return width > 9 ? cell + space : space + cell
        }.joined()
    }
}
