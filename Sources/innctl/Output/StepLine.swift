import APIModels
import Model

/// One line of progress each.
enum StepLine {
    static func operation(_ operation: Operation) -> String {
        Terminal.cleanLines("\(operation.kind) \(operation.id) \(operation.state)")
    }

    /// - Parameter knownReason: what was told last as the reason of a failure; it is not told again.
    static func step(_ step: OperationStep, knownReason: String? = nil) -> String {
        let marks = ["done": "+", "failed": "!", "undone": "-", "undo_failed": "!", "skipped": "~"]
        var line = "  step \(step.position) of \(step.total) \(marks[step.state] ?? ">") \(step.name)"
        if step.state != "running" { line += " \(step.state.replacing("_", with: " "))" }
        line += effort(step)
        if let error = step.error {
            line += error.message == knownReason ? " for the same reason" : ": \(error.message)"
        }
        return Terminal.cleanLines(line)
    }

    /// How long it took, which for more than one attempt is from the first on. When an undoing began is not told.
    private static func effort(_ step: OperationStep) -> String {
        let took = ["done", "failed"].contains(step.state) ? took(step) : nil
        guard step.attempts > 1 else { return took.map { " in \($0)" } ?? "" }
        return took.map { " after \($0) and \(step.attempts) attempts" } ?? ", attempt \(step.attempts)"
    }

    static func took(_ step: OperationStep) -> String? {
        guard let started = step.startedAt, let finished = step.finishedAt else { return nil }
        return Readable.span(max(0, finished.milliseconds - started.milliseconds))
    }

    static func log(_ line: LogLine) -> String {
        let step = line.step.map { " \($0):" } ?? ""
        return Terminal.cleanLines("\(line.time.iso8601) \(line.level)\(step) \(line.text)")
    }
}
