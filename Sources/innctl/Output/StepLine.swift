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
        if let took = took(step), step.state != "running" { line += " in \(took)" }
        if step.attempts > 1 { line += ", attempt \(step.attempts)" }
        if let error = step.error {
            line += error.message == knownReason ? " for the same reason" : ": \(error.message)"
        }
        return Terminal.cleanLines(line)
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
