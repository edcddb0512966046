package import WireProtocol

/// Why an action did not do what it was asked, in words that do not depend on the technology.
package enum DriverErrorCode: String, Sendable, Hashable, CaseIterable {
    /// The thing to work on is not there.
    case notFound = "not_found"
    /// It is there, but not as asked, and must not be changed into that silently.
    case conflict
    /// Somebody else is using it.
    case busy
    case invalidArgument = "invalid_argument"
    /// The technology itself does not answer.
    case unavailable
    case outOfSpace = "out_of_space"
    case timedOut = "timed_out"
    case cancelled
    case permissionDenied = "permission_denied"
    /// This driver, or this version of the technology, cannot do that.
    case unsupported
    case failed
    /// It was started, and nobody can tell how far it went.
    case unknownOutcome = "unknown_outcome"
    /// It is there and bears another's mark, or is a copy that took a mark along: it is left alone.
    case foreign

    /// Whether trying the same again later can help, unless an error says otherwise.
    package var isRetryable: Bool {
        switch self {
        case .busy, .unavailable, .timedOut, .outOfSpace: true
        case .notFound, .conflict, .invalidArgument, .cancelled, .permissionDenied, .unsupported, .failed,
            .unknownOutcome, .foreign:
            false
        }
    }
}

/// A failed action: which, on what, why, and whether a retry can help.
package struct DriverError: Error, Sendable, Hashable {
    package let code: DriverErrorCode
    /// One sentence for people, without secrets.
    package let message: String
    package let retryable: Bool
    /// Name of the action within the driver; filled in by `about`.
    package private(set) var action: String
    /// The resource worked on; filled in by `about`.
    package private(set) var resource: String
    /// What the technology said, shortened.
    package let cause: String?
    /// Whether something of the caller's is there, or different, all the same: it has to be undone.
    package private(set) var changed = false
    /// What was found all the same, for programs: the exit code that a command would have had, say.
    package private(set) var observed: JSONObject = [:]

    package init(
        _ code: DriverErrorCode, _ message: String, retryable: Bool? = nil, action: String = "",
        resource: String = "", cause: String? = nil
    ) {
        self.code = code
        self.message = message
        self.retryable = retryable ?? code.isRetryable
        self.action = action
        self.resource = resource
        self.cause = cause
    }

    /// The same error, come after something had been changed.
    package func afterChange() -> DriverError {
        var error = self
        error.changed = true
        return error
    }

    /// The same error with something that was found.
    package func observing(_ found: JSONObject) -> DriverError {
        var error = self
        error.observed = found
        return error
    }

    /// The same error with the call's action and resource where it names none.
    package func about(_ call: ActionCall) -> DriverError {
        var error = self
        if action.isEmpty { error.action = call.action }
        if resource.isEmpty { error.resource = call.resource }
        return error
    }
}

extension DriverError: CustomStringConvertible {
    package var description: String {
        let subject = [action, resource].filter { !$0.isEmpty }.joined(separator: " of ")
        return [subject, message, cause ?? ""].filter { !$0.isEmpty }.joined(separator: ": ")
    }
}
