import APIModels
import HTTPFetch
import Model

/// What the exit code says.
enum FailureCode: Int32, Sendable {
    case failed = 1
    case usage = 2
    case notFound = 3
    case access = 4
    case conflict = 5
    case unreachable = 6
    case needsAttention = 7
    case cancelled = 8
    case overdue = 9
}

/// Why the command did not do what was asked, in one sentence.
struct Failure: Error, Sendable, Hashable {
    let code: FailureCode
    let message: String

    /// The field of the request that the API refused; nil for every other reason.
    let field: String?

    init(_ code: FailureCode, _ message: String, field: String? = nil) {
        self.code = code
        self.message = message
        self.field = field
    }

    /// What the API answered.
    init(_ problem: Problem) {
        var message = FieldWords.sentence(problem)
        if let id = problem.errorID { message += " (error \(id) in the controller's log)" }
        self.init(FailureCode(status: problem.status), message, field: problem.field)
    }

    /// No answer at all.
    /// - Parameter settings: what the controller was asked with, where that may be the reason.
    init(_ error: HTTPError, _ settings: Settings? = nil) {
        self.init(
            error.kind == .invalidRequest ? .usage : .unreachable,
            error.description + (settings?.hint(at: error.kind) ?? ""))
    }

    /// How an operation ended, nil when it succeeded.
    init?(endOf operation: Operation) {
        let reason = operation.error.map { ": \($0.message)" } ?? ""
        switch operation.state {
        case "succeeded": return nil
        case "cancelled": self.init(.cancelled, "operation \(operation.id) was cancelled")
        case "needs_attention":
            self.init(.needsAttention, "operation \(operation.id) needs attention\(reason)")
        case "resolved": self.init(.failed, "operation \(operation.id) needed attention and was seen to\(reason)")
        default: self.init(.failed, "operation \(operation.id) failed\(reason)")
        }
    }
}

extension FailureCode {
    /// The exit code for an HTTP status.
    init(status: Int) {
        switch status {
        case 401, 403: self = .access
        case 404: self = .notFound
        case 409, 412, 422: self = .conflict
        case 429, 502, 503, 504, 507: self = .unreachable
        default: self = .failed
        }
    }
}

extension Failure {
    /// Of a plan that is not there, with the one that was meant.
    func naming(plan name: String, _ controller: Controller) async -> Failure {
        guard field == "plan", let plans = try? await controller.all("/api/v1/plans") as [Plan] else { return self }
        let offered = plans.filter { $0.retiredAt == nil }.map(\.name)
        guard !plans.contains(where: { $0.name == name }) else { return self }
        return Failure(.notFound, "there is no plan \(name)\(Near.guess(name, among: offered))", field: field)
    }
}
