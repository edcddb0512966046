import APIModels
import HTTPFetch

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

    init(_ code: FailureCode, _ message: String) {
        self.code = code
        self.message = message
    }

    /// What the API answered.
    init(_ problem: Problem) {
        var message = problem.detail
        if let id = problem.errorID { message += " (error \(id) in the controller's log)" }
        self.init(FailureCode(status: problem.status), message)
    }

    /// No answer at all.
    init(_ error: HTTPError) {
        self.init(error.kind == .invalidRequest ? .usage : .unreachable, error.description)
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
