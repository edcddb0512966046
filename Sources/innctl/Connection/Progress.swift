import APIModels

/// What is told of an operation as it goes, each thing once and in order: what it is, its steps, its end. Events may come in
/// another order, and again after a lost connection.
struct Progress {
    private var operation: Operation?
    private var waiting: [OperationStep] = []
    private var last: [String: OperationStep] = [:]
    private var lastReason: String?
    /// Whether the end is told here, and not by whoever waits for it.
    var tellsEnd = true

    /// The lines for an operation as it is now.
    mutating func lines(of operation: Operation) -> [String] {
        var lines: [String] = []
        let isFirst = self.operation == nil
        if isFirst && !operation.isFinished { lines.append(StepLine.operation(operation)) }
        self.operation = operation
        if isFirst {
            for step in waiting { lines += self.lines(of: step) }
            waiting = []
        }
        // How it failed is the last word of the program.
        if operation.state == "succeeded", tellsEnd { lines.append(StepLine.operation(operation)) }
        return lines
    }

    /// The lines for a step as it is now.
    mutating func lines(of step: OperationStep) -> [String] {
        guard operation != nil else {
            waiting.append(step)
            return []
        }
        guard last[step.name] != step else { return [] }
        last[step.name] = step
        let line = StepLine.step(step, knownReason: lastReason)
        lastReason = step.error?.message ?? lastReason
        return [line]
    }
}
