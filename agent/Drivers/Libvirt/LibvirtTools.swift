import DriverKit
import Glibc
import Processes

/// The tools and folders of a libvirt host, below a root. Nothing here changes anything.
package struct LibvirtTools: Sendable {
    /// First words of each command line.
    let virsh: [String]
    let journalctl: [String]
    /// Folder of the daemons' own logs; those of the machines are in its folder `qemu`.
    let logs: String
    let connection: String
    /// Time limit of each command.
    let patience: Duration
    private static let limit = 8 << 20

    package init(
        virsh: [String], journalctl: [String], logs: String = "/var/log/libvirt", connection: String = "qemu:///system",
        patience: Duration = .seconds(20)
    ) {
        (self.virsh, self.journalctl, self.logs) = (virsh, journalctl, logs)
        (self.connection, self.patience) = (connection, patience)
    }

    /// The tools in the system's directories below `root`; nil where there is no `virsh`.
    package static func installed(root: String = "") -> LibvirtTools? {
        let virsh = "\(root)/usr/bin/virsh"
        guard access(virsh, X_OK) == 0 else { return nil }
        return LibvirtTools(
            virsh: [virsh], journalctl: ["\(root)/usr/bin/journalctl"], logs: "\(root)/var/log/libvirt")
    }

    /// What `virsh` is asked; none of it can change anything, and the connection could not, either.
    enum Question: Sendable {
        /// Identity and name of every machine, running or not.
        case list
        /// State and reason of every machine, as numbers.
        case states
        /// One machine, by its identity: a name would be taken for a number first.
        case details(MachineID)

        var words: [String] {
            switch self {
            case .list: ["list", "--all", "--uuid", "--name"]
            case .states: ["domstats", "--state"]
            case .details(let id): ["dominfo", "--domain", id.text]
            }
        }
    }

    func ask(_ question: Question) async throws(DriverError) -> String {
        let words = virsh.dropFirst() + ["--readonly", "--quiet", "--connect", connection] + question.words
        let outcome = try await run(ProcessRequest(virsh[0], Array(words)), "virsh")
        if outcome.exit != .code(0) { throw LibvirtFailure.error(outcome) }
        if outcome.truncated { throw DriverError(.failed, "virsh printed more than 8 MiB") }
        return outcome.outputText
    }

    /// The version of the tool; asks no daemon.
    func version() async -> String? {
        let request = ProcessRequest(virsh[0], virsh.dropFirst() + ["--version"], deadline: .seconds(5))
        guard let outcome = try? await Child.run(request), outcome.succeeded else { return nil }
        return outcome.outputText.split(whereSeparator: \.isWhitespace).first.map { String($0.prefix(64)) }
    }

    /// The last lines of the journal of libvirt's daemons, oldest first.
    func journal(lines: Int, since: Int64?) async throws(DriverError) -> [UInt8] {
        let units = ["libvirtd", "virtqemud", "virtlogd"].flatMap { ["--unit", $0] }
        let words = ["--no-pager", "--quiet", "--output=short-iso", "--lines=\(lines)"] + units
        let time = since.map { ["--since=@\($0 / 1000)"] } ?? []
        let outcome = try await run(ProcessRequest(journalctl[0], journalctl.dropFirst() + words + time), "journalctl")
        guard outcome.exit == .code(0) else {
            throw DriverError(.unavailable, "the journal cannot be read", cause: LibvirtFailure.words(outcome))
        }
        return outcome.stdout
    }

    private func run(_ request: ProcessRequest, _ tool: String) async throws(DriverError) -> ProcessOutcome {
        var request = request
        request.deadline = patience
        request.outputLimit = Self.limit
        let outcome: ProcessOutcome
        do { outcome = try await Child.run(request) } catch { throw DriverError(error, tool) }
        switch outcome.ended {
        case .itself: return outcome
        case .deadline:
            throw DriverError(.timedOut, "\(tool) did not answer in time", cause: LibvirtFailure.words(outcome))
        case .cancelled:
            let how = outcome.killed ? "did not obey and was killed" : "was stopped"
            throw DriverError(.cancelled, "\(tool) \(how)", cause: LibvirtFailure.words(outcome))
        }
    }
}

/// What `virsh` says when it fails. Its exit code is 1 for everything.
enum LibvirtFailure {
    static func error(_ outcome: ProcessOutcome) -> DriverError {
        if case .signal(let number) = outcome.exit {
            return DriverError(
                .failed, "virsh was killed by signal \(number)", retryable: true, cause: words(outcome))
        }
        let text = outcome.errorText.lowercased()
        let rule = rules.first { text.contains($0.0) }
        return DriverError(
            rule?.1 ?? .failed, rule?.2 ?? "virsh refused",
            cause: words(outcome) ?? "ended with \(outcome.exit) and without a message")
    }

    static func words(_ outcome: ProcessOutcome) -> String? {
        let lines = outcome.errorText.split(separator: "\n").prefix(6)
        return lines.isEmpty ? nil : lines.joined(separator: "; ").beginning(600)
    }

    /// In order: the first whose words occur decides.
    private static let rules: [(String, DriverErrorCode, String)] = [
        ("domain not found", .notFound, "there is no such virtual machine"),
        ("failed to get domain", .notFound, "there is no such virtual machine"),
        ("failed to connect to the hypervisor", .unavailable, "libvirt does not answer"),
        ("failed to connect socket", .unavailable, "libvirt does not answer"),
        ("cannot recv data", .unavailable, "the connection to libvirt was lost"),
        ("end of file while reading data", .unavailable, "the connection to libvirt was lost"),
        ("authentication", .permissionDenied, "libvirt does not let the agent in"),
        ("access denied", .permissionDenied, "libvirt does not let the agent in"),
        ("unknown command", .unsupported, "this version of virsh cannot do that"),
        ("unsupported", .unsupported, "this version of virsh cannot do that"),
    ]
}

extension DriverError {
    fileprivate init(_ error: ProcessError, _ tool: String) {
        switch error {
        case .cancelled: self.init(.cancelled, "cancelled before \(tool) was started")
        case .notFound, .notStarted: self.init(.unavailable, "\(tool) cannot be started", cause: error.description)
        case .notPermitted: self.init(.permissionDenied, "\(tool) may not be run", cause: error.description)
        case .unstoppable, .lost: self.init(.failed, "the end of \(tool) is unknown", cause: error.description)
        }
    }
}
