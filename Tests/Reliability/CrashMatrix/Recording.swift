/// One of the two daemons.
enum Victim: String, Sendable, CaseIterable { case agent, controller }

/// A durable write that a saga makes: a commit, known by what it says.
struct Transition: Sendable, Hashable {
    /// What it is, in words: `receipt of dataset.1`, `journal step_started container`.
    var name: String
    var scope = Strike.Scope.commits
    var marks: [String]
    var nth = 1
}

/// What a trap saw while a saga ran undisturbed.
struct Recording {
    private var transitions: [Transition] = []

    /// The first marks of what every run of all sagas has.
    static let kinds = Set(Kind.all.filter { !$0.isByChance }.map(\.start))

    /// The transitions of a saga, in the order in which they were made. Those that have nothing to do with it, such as a
    /// node's signs of life, are left out.
    static func transitions(_ lines: [Substring]) -> [Transition] {
        var recording = Recording()
        var statements: [Substring] = []
        for line in lines {
            switch line.first {
            case "S": statements.append(line.dropFirst(2))
            case "C":
                recording.add(statements)
                statements = []
            case "R": statements = []
            default: break
            }
        }
        return recording.transitions
    }

    /// The writes by which a checkpoint moves commits into the database, so far as the next run has as many: their number
    /// is not the same each time.
    static func checkpoints(_ lines: [Substring], of victim: Victim) -> [Transition] {
        let file = victim == .agent ? "/journal.sqlite;" : "/controller.sqlite;"
        let count = lines.count { $0.hasPrefix("F pwrite") && $0.contains(file) }
        return (0..<(count * 3 / 4)).map {
            Transition(name: "checkpoint's write \($0 + 1)", scope: .calls, marks: ["pwrite", file], nth: $0 + 1)
        }
    }

    /// The most telling statements of a commit stand for it: there are several when an agent writes a batch.
    private mutating func add(_ statements: [Substring]) {
        for kind in Kind.all {
            let found = statements.compactMap { kind.transition(String($0)) }
            guard !found.isEmpty else { continue }
            for one in found {
                var transition = one
                transition.nth = 1 + transitions.count { $0.marks == one.marks }
                transitions.append(transition)
            }
            return
        }
    }
}

/// Statements that tell one transition from the others, the most telling first.
private struct Kind: Sendable {
    let start: String
    /// Not each run has one.
    var isByChance = false
    /// The other marks, and the words that name the transition.
    let read: @Sendable (String) -> (marks: [String], name: String)?

    func transition(_ statement: String) -> Transition? {
        guard statement.hasPrefix(start), let (marks, name) = read(statement) else { return nil }
        return Transition(name: name, marks: [start] + marks)
    }

    static let all: [Kind] = [
        Kind(start: "INSERT INTO receipts") { command($0, "receipt of") },
        // Of a command that had to wait for another of its lane.
        Kind(start: "UPDATE receipts SET state = 'running'", isByChance: true) { command($0, "begin of") },
        Kind(start: "UPDATE receipts SET state") { command($0, "end of") },
        Kind(start: "UPDATE receipts SET acknowledged") { command($0, "acknowledgement of") },
        Kind(start: "INSERT INTO journal", read: entry),
        Kind(start: "INSERT INTO commands") { command($0, "command") },
        Kind(start: "UPDATE commands SET") { command($0, "result of") },
        Kind(start: "INSERT INTO reservations") { _ in ([], "reservation") },
        Kind(start: "DELETE FROM reservations") { _ in ([], "release") },
        Kind(start: "INSERT INTO services") { _ in ([], "service and operation") },
        Kind(start: "INSERT INTO operations") { _ in ([], "operation") },
        Kind(start: "INSERT INTO audit") {
            $0.contains("'operation.cancel'") ? (["'operation.cancel'"], "cancel") : nil
        },
        Kind(start: "INSERT INTO idempotency") { _ in ([], "idempotency key") },
        Kind(start: "UPDATE idempotency") { _ in ([], "answer of the request") },
    ]

    /// A command's id is the operation's and a suffix, as in `op_….dataset.1`.
    private static func command(_ statement: String, _ words: String) -> (marks: [String], name: String)? {
        for start in statement.ranges(of: "'op_") {
            let id = statement[start.upperBound...].prefix { $0 != "'" }
            guard let dot = id.firstIndex(of: ".") else { continue }
            return (["\(id[dot...])'"], "\(words) \(id[id.index(after: dot)...])")
        }
        return nil
    }

    /// `… VALUES ('op_…', 7, 1796020896700, '{"sealed":…`: what an entry says lies sealed, its number in the operation does not.
    private static func entry(_ statement: String) -> (marks: [String], name: String)? {
        guard let operation = statement.firstRange(of: "'op_")?.upperBound,
            let end = statement[operation...].firstRange(of: "', ")?.upperBound
        else { return nil }
        let number = statement[end...].prefix { $0 != "," }
        return (["', \(number), "], "journal entry \(number)")
    }
}
