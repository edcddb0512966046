/// How a child ended and what it said.
package struct ProcessOutcome: Sendable, Hashable {
    package enum Exit: Sendable, Hashable {
        case code(Int32)
        case signal(Int32)
    }

    /// Who ended the run.
    package enum Ending: String, Sendable, Hashable {
        case itself, deadline, cancelled
    }

    package let exit: Exit
    package let stdout: [UInt8]
    package let stderr: [UInt8]
    /// Whether output was dropped because it went past the request's limit.
    package let truncated: Bool
    /// Whether the child ended by itself or was stopped. A child that handles TERM can be stopped and exit with 0.
    package let ended: Ending
    /// Whether TERM was not enough.
    package var killed: Bool { ended != .itself && exit == .signal(9) }
    /// Ended by itself, with code 0.
    package var succeeded: Bool { ended == .itself && exit == .code(0) }

    package init(exit: Exit, stdout: [UInt8], stderr: [UInt8], truncated: Bool, ended: Ending) {
        self.exit = exit
        self.stdout = stdout
        self.stderr = stderr
        self.truncated = truncated
        self.ended = ended
    }

    /// The standard output as text; bytes that are not UTF-8 are replaced.
    package var outputText: String { String(decoding: stdout, as: UTF8.self) }
    /// The standard error as text; bytes that are not UTF-8 are replaced.
    package var errorText: String { String(decoding: stderr, as: UTF8.self) }
}
