import DriverKit
import Glibc
import Processes

/// The programs of the machine that are asked for what no file tells. Each is found when it is needed: it may be
/// installed or removed while the agent runs.
package struct HostTools: Sendable {
    /// Searched in order.
    let directories: [String]
    /// Time limit of a program that only looks.
    let patience: Duration

    package init(
        directories: [String] = ["/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin", "/usr/local/bin"],
        patience: Duration = .seconds(30)
    ) {
        self.directories = directories
        self.patience = patience
    }

    func path(of name: String) -> String? {
        directories.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }

    /// Runs a program to its end, whatever its exit code: what that means is the caller's to say.
    /// - Throws: `unavailable` when there is no such program, `timedOut`, `cancelled`, `failed` when it was killed.
    func run(
        _ name: String, _ arguments: [String], deadline: Duration? = nil, outputLimit: Int = 8 << 20
    ) async throws(DriverError) -> ProcessOutcome {
        try await outcome(of: name, arguments, deadline: deadline ?? patience, outputLimit, nil)
    }

    /// Runs a program whose output goes to `output` as it comes; its messages are kept.
    func pour(
        _ name: String, _ arguments: [String], deadline: Duration?, to output: @escaping Child.Consumer
    ) async throws(DriverError) -> ProcessOutcome {
        try await outcome(of: name, arguments, deadline: deadline, 64 << 10, output)
    }

    private func outcome(
        of name: String, _ arguments: [String], deadline: Duration?, _ limit: Int, _ output: Child.Consumer?
    ) async throws(DriverError) -> ProcessOutcome {
        guard let path = path(of: name) else {
            throw DriverError(.unavailable, "\(name) is not installed on this node", retryable: false)
        }
        let request = ProcessRequest(path, arguments, deadline: deadline, outputLimit: limit)
        let outcome: ProcessOutcome
        do throws(ProcessError) {
            outcome = try await Child.run(request, onOutput: output)
        } catch { throw DriverError(error, name) }
        let said = HostTools.lastWords(outcome)
        switch outcome.ended {
        case .deadline: throw DriverError(.timedOut, "\(name) did not answer in time", cause: said)
        case .cancelled: throw DriverError(.cancelled, "\(name) was stopped", cause: said)
        case .itself: break
        }
        if case .signal(let number) = outcome.exit {
            throw DriverError(.failed, "\(name) was killed by signal \(number)", retryable: true, cause: said)
        }
        if outcome.truncated, output == nil {
            throw DriverError(.failed, "\(name) printed more than \(limit >> 20) MiB")
        }
        return outcome
    }

    /// The end of what a program wrote to its standard error; nil for nothing.
    static func lastWords(_ outcome: ProcessOutcome) -> String? {
        let lines = String(decoding: outcome.stderr.suffix(600), as: UTF8.self).split(separator: "\n")
        return lines.isEmpty ? nil : lines.joined(separator: "; ")
    }
}

extension DriverError {
    fileprivate init(_ error: ProcessError, _ name: String) {
        switch error {
        case .cancelled: self.init(.cancelled, "cancelled before \(name) was started")
        case .notFound, .notStarted:
            self.init(.unavailable, "\(name) cannot be started", cause: error.description)
        case .notPermitted: self.init(.permissionDenied, "\(name) may not be run", cause: error.description)
        case .unstoppable, .lost: self.init(.failed, "\(name) hangs in the kernel", cause: error.description)
        }
    }
}
