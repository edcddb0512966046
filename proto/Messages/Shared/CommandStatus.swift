/// Where a command stands: `accepted → running → succeeded | failed | cancelled | interrupted`, or `refused` at once.
package enum CommandStatus: OpenCode {
    /// The receipt is on disk, the work waits for its lane.
    case accepted
    case running
    case succeeded
    case failed
    /// Ended by a `cancel`.
    case cancelled
    /// The agent died in the middle; how far the work came is not known.
    case interrupted
    /// Nothing was done and no receipt was written.
    case refused
    case unknown(String)

    package static let known: [CommandStatus] = [
        .accepted, .running, .succeeded, .failed, .cancelled, .interrupted, .refused,
    ]

    /// No other status follows. An unknown one counts as final: waiting for more could be for ever.
    package var isFinal: Bool { self != .accepted && self != .running }

    package var code: String {
        switch self {
        case .accepted: "accepted"
        case .running: "running"
        case .succeeded: "succeeded"
        case .failed: "failed"
        case .cancelled: "cancelled"
        case .interrupted: "interrupted"
        case .refused: "refused"
        case .unknown(let code): code
        }
    }
}
