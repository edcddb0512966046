/// Why there is no outcome of a child.
package enum ProcessError: Error, Sendable, Hashable {
    /// There is no such executable; nothing was started.
    case notFound(String)
    /// The executable or its directory may not be used; nothing was started.
    case notPermitted(String)
    /// The system did not start it.
    case notStarted(String, reason: String)
    /// The caller was cancelled before the start; nothing was started.
    case cancelled
    /// Neither TERM nor KILL ended the child in time: it hangs in the kernel. Or TERM did not, and KILL was not allowed.
    /// How far it went is unknown.
    case unstoppable(pid: Int32)
    /// The child's end could not be learned. How far it went is unknown.
    case lost(String)
}

extension ProcessError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .notFound(let executable): "there is no executable \(executable)"
        case .notPermitted(let executable): "no permission to run \(executable)"
        case .notStarted(let executable, let reason): "\(executable) could not be started: \(reason)"
        case .cancelled: "cancelled before the start"
        case .unstoppable(let pid): "process \(pid) does not end when it is told to"
        case .lost(let reason): "the end of the process could not be learned: \(reason)"
        }
    }
}
