import Model
import WireProtocol

@testable import Saga

/// Drives a machine through scripted answers with a clock of its own, and keeps the journal.
struct Play {
    var machine: SagaMachine
    var journal: [(entry: JournalEntry, time: Timestamp)] = []
    var now = Timestamp(milliseconds: 1_000_000)
    var cancelled = false
    /// Nodes that are there.
    var present: Set<String> = []
    /// What the outside was asked to do, in order: command ids.
    var commands: [String] = []
    /// The answers, by command id; each is used once, then the command succeeds.
    var answers: [String: [StepFailure]] = [:]
    /// Longest waits that were asked for.
    var waits: [Duration] = []

    init(_ table: SagaTable) { machine = SagaMachine(table, operation: "op") }

    mutating func run(until limit: Int = 10_000, stopAfter stop: (Self) -> Bool = { _ in false }) throws -> SagaOutcome?
    {
        for _ in 0..<limit {
            if stop(self) { return nil }
            switch machine.next(now: now, cancelled: cancelled, present: present) {
            case .record(let entry): try record(entry)
            case .perform(let step, _, let command):
                let name = machine.table.steps[step].name
                try record(
                    ask(command).map { .stepFailed(step: name, failure: $0) }
                        ?? .stepSucceeded(step: name, output: .string("from \(command)")))
            case .undo(let step, _, let command):
                let name = machine.table.steps[step].name
                try record(ask(command).map { .undoFailed(step: name, failure: $0) } ?? .undone(step: name))
            case .wait(let until):
                waits.append(until - now)
                now = until
            case .done(let outcome): return outcome
            }
        }
        return nil
    }

    mutating func record(_ entry: JournalEntry) throws {
        journal.append((entry, now))
        try machine.apply(entry, at: now)
    }

    private mutating func ask(_ command: String) -> StepFailure? {
        commands.append(command)
        guard var left = answers[command], !left.isEmpty else { return nil }
        defer { answers[command] = left }
        return left.removeFirst()
    }
}

extension StepFailure {
    static func test(_ kind: Kind, effect: Effect = .possible) -> StepFailure {
        StepFailure(kind, code: "test", message: "it broke", resource: "docker/x", effect: effect)
    }
}

extension StepFailure {
    static func awaiting(_ nodes: [String]) -> StepFailure {
        StepFailure(.retryable, code: "test", message: "nobody is there", effect: .none, awaitedNodes: nodes)
    }
}

/// place, make, (extra), run: the third is auxiliary and has no undo.
let trip = SagaTable(
    kind: "trip",
    steps: [
        StepPolicy(name: "place", undoable: true),
        StepPolicy(name: "make", undoable: true),
        StepPolicy(name: "extra", weight: .auxiliary, undoable: false),
        StepPolicy(name: "run", onInterrupted: .fail, undoable: true),
    ],
    deadline: .seconds(600), unwindAllowance: .seconds(300))
