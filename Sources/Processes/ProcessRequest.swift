/// A child process to run: what, with which words, and within which limits.
package struct ProcessRequest: Sendable {
    /// What the child reads on its standard input.
    package enum Input: Sendable {
        /// Nothing: `/dev/null`.
        case none
        case bytes([UInt8])
        /// Chunks as they come; the child sees the end when the stream finishes.
        case stream(AsyncStream<[UInt8]>)
    }

    /// An absolute path, or a name that is looked up in the `PATH` of `environment`.
    package var executable: String
    package var arguments: [String]
    /// All of the child's environment: nothing is inherited.
    package var environment: [String: String]
    package var workingDirectory: String?
    package var standardInput: Input
    /// Time after which the child is stopped; none when `nil`.
    package var deadline: Duration?
    /// Time between TERM and KILL.
    package var grace: Duration
    /// Whether a child that does not end after TERM is killed, with all that it has started. One that may not be is left to
    /// itself once the grace is over: it is `unstoppable` for the caller, and its output is still read.
    package var mayBeKilled = true
    /// Bytes kept of each output; what comes after them is dropped and the outcome marked as truncated.
    package var outputLimit: Int

    package init(
        _ executable: String, _ arguments: [String] = [], environment: [String: String] = [:],
        workingDirectory: String? = nil, standardInput: Input = .none, deadline: Duration? = nil,
        grace: Duration = .seconds(5), outputLimit: Int = 1 << 20
    ) {
        self.executable = executable
        self.arguments = arguments
        self.environment = Self.cleanEnvironment.merging(environment) { $1 }
        self.workingDirectory = workingDirectory
        self.standardInput = standardInput
        self.deadline = deadline
        self.grace = grace
        self.outputLimit = outputLimit
    }

    /// What every child gets: the system's directories, untranslated messages, and UTF-8 for what is no message.
    ///
    /// A tool that decodes its words by the locale (all of Perl's do) makes two files of different names one where that is C.
    /// `LC_ALL` would overrule both, and `LANG` is left out because nothing is left for it to say.
    package static let cleanEnvironment = [
        "LC_CTYPE": "C.UTF-8", "LC_MESSAGES": "C", "HOME": "/root",
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    ]
}
