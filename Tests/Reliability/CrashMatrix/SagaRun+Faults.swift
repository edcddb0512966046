import APIModels
import SiteSupport

/// What must be true when a saga is over, whoever died on the way.
extension SagaRun {
    func faults(_ operation: APIModels.Operation, _ service: String) async throws -> [String] {
        try await ending(operation) + belongings(service) + honesty(operation)
    }

    private func ending(_ operation: APIModels.Operation) -> [String] {
        let wanted =
            switch saga {
            case .failure: "failed"
            case .cancellation: "cancelled"
            default: "succeeded"
            }
        return operation.state == wanted ? [] : ["it ended as \(operation.state): \(operation.error?.message ?? "")"]
    }

    private func belongings(_ service: String) async throws -> [String] {
        switch saga {
        case .terminate, .failure, .cancellation: return try await crash.site.remains(of: service)
        default:
            let state = saga == .suspend ? "exited" : "running"
            return try await crash.site.faults(of: service, state: state, memory: size.memory, quota: size.disk)
        }
    }

    /// What could not be known was said, and begun again under another command; nothing else was.
    private func honesty(_ operation: APIModels.Operation) async throws -> [String] {
        guard let interrupts = point?.interrupts else { return [] }
        let log = try await crash.site.front.log(operation.id)
        let said = log.contains { $0.contains("the agent stopped while the command ran") }
        // Of an operation that is called off the step is not begun again when the word of that comes first.
        let isCalledOff = log.contains { $0 == "going back: the operation was cancelled" }
        let again = isCalledOff || log.contains { $0 == "attempt 2" || $0 == "undoing, attempt 2" }
        if interrupts, !said || !again { return ["the interruption is not told: \(log)"] }
        return !interrupts && said ? ["an interruption is told that was none: \(log)"] : []
    }
}
