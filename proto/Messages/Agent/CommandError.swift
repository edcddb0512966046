/// Why a command did not succeed: the cause, the operation and the resource, and whether to try again.
package struct CommandError: WireRecord, Error, CustomStringConvertible {
    package var code: CommandErrorCode
    /// One sentence for a person.
    package var message: String
    package var retryable: Bool
    /// With the driver's name, e.g. `docker.container.ensure`.
    package var operation: String
    package var resource: String
    /// What the tool said, shortened; never a secret.
    package var detail: String?

    package init(
        code: CommandErrorCode, message: String, retryable: Bool, operation: String, resource: String,
        detail: String? = nil
    ) {
        self.code = code
        self.message = message
        self.retryable = retryable
        self.operation = operation
        self.resource = resource
        self.detail = detail
    }

    package init(reading fields: JSONObject) throws(FieldError) {
        code = try fields.code("code")
        message = try fields.string("message")
        retryable = try fields.bool("retryable")
        operation = try fields.id("operation")
        resource = try fields.name("resource")
        detail = try fields.optionalString("detail")
    }

    package func write(_ fields: inout FieldWriter) {
        fields.put("code", code)
        fields.put("message", message)
        fields.put("retryable", retryable)
        fields.put("operation", operation)
        fields.put("resource", resource)
        fields.put("detail", detail)
    }

    package var description: String { "\(operation) on \(resource): \(message)" }
}

/// What kind of failure it was.
package enum CommandErrorCode: OpenCode {
    // From a driver.
    case notFound, conflict, busy, invalidArgument, unavailable, outOfSpace, timedOut, cancelled, permissionDenied
    case unsupported, failed, unknownOutcome
    /// What is there bears another's mark, or none of Innkeeper's: it is left alone.
    case foreign
    // From the agent itself.
    /// The agent ended while the command ran.
    case interrupted
    /// The agent ended before the command's turn came; nothing was done.
    case notStarted
    /// The node's policy file does not allow the operation.
    case policy
    /// The command's generation is below one that this resource has seen.
    case staleGeneration
    /// The id was used before with another body.
    case digestMismatch
    case unknownDriver, unknownOperation
    /// Too many commands wait already.
    case overload
    /// The receipt could not be written, so nothing was started.
    case journal
    /// The command was first sent to a journal that the agent has lost; it may have been done.
    case journalLost
    /// The agent is about to end and takes nothing new.
    case shuttingDown
    case unknown(String)

    package static let known: [CommandErrorCode] = [
        .notFound, .conflict, .busy, .invalidArgument, .unavailable, .outOfSpace, .timedOut, .cancelled,
        .permissionDenied, .unsupported, .failed, .unknownOutcome, .foreign, .interrupted, .notStarted, .policy,
        .staleGeneration, .digestMismatch, .unknownDriver, .unknownOperation, .overload, .journal, .journalLost,
        .shuttingDown,
    ]

    package var code: String {
        switch self {
        case .notFound: "not_found"
        case .conflict: "conflict"
        case .busy: "busy"
        case .invalidArgument: "invalid_argument"
        case .unavailable: "unavailable"
        case .outOfSpace: "out_of_space"
        case .timedOut: "timed_out"
        case .cancelled: "cancelled"
        case .permissionDenied: "permission_denied"
        case .unsupported: "unsupported"
        case .failed: "failed"
        case .unknownOutcome: "unknown_outcome"
        case .foreign: "foreign"
        case .interrupted: "interrupted"
        case .notStarted: "not_started"
        case .policy: "policy"
        case .staleGeneration: "stale_generation"
        case .digestMismatch: "digest_mismatch"
        case .unknownDriver: "unknown_driver"
        case .unknownOperation: "unknown_operation"
        case .overload: "overload"
        case .journal: "journal"
        case .journalLost: "journal_lost"
        case .shuttingDown: "shutting_down"
        case .unknown(let code): code
        }
    }
}
