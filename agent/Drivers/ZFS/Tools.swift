import DriverKit
import Glibc
import Processes
import WireProtocol

/// The command lines of ZFS on this node, run one at a time, without a shell and with untranslated messages.
package struct ZFSTools: Sendable {
    enum Tool { case zfs, zpool }

    /// First words of each command line: the path of the tool, or a launcher and the tool.
    package let zfs: [String]
    package let zpool: [String]
    /// Time limit of a command that only looks; one on a suspended pool never ends by itself.
    let patience: Duration

    package init(zfs: [String], zpool: [String], patience: Duration = .seconds(30)) {
        self.zfs = zfs
        self.zpool = zpool
        self.patience = patience
    }

    /// The tools in the system's directories; `nil` when one of them is missing.
    package static func installed() -> ZFSTools? {
        let directories = ["/usr/sbin", "/sbin", "/usr/local/sbin"]
        func find(_ name: String) -> String? {
            directories.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
        }
        guard let zfs = find("zfs"), let zpool = find("zpool") else { return nil }
        return ZFSTools(zfs: [zfs], zpool: [zpool])
    }

    /// Runs a command that only looks.
    func read(_ tool: Tool, _ arguments: [String]) async throws(DriverError) -> String {
        try Self.check(await run(tool, arguments, deadline: patience)).outputText
    }

    /// As `read`, for a list of datasets of which some may have gone in the meantime: those are left out.
    func readRemaining(_ arguments: [String]) async throws(DriverError) -> String {
        let outcome = try await run(.zfs, arguments, deadline: patience)
        let complaints = outcome.errorText.split(separator: "\n")
        let onlyGone = complaints.allSatisfy { $0.hasSuffix("dataset does not exist") }
        return outcome.ended == .itself && onlyGone ? outcome.outputText : try Self.check(outcome).outputText
    }

    /// Runs a command that changes something. It has no time limit of its own: the caller's cancellation ends it.
    func act(_ arguments: [String], with tool: Tool = .zfs) async throws(DriverError) {
        do {
            _ = try Self.check(await run(tool, arguments, deadline: nil))
        } catch  where error.code == .cancelled || error.code == .timedOut {
            throw DriverError(
                .unknownOutcome, "\(error.message) while it worked", retryable: true, cause: error.cause)
        }
    }

    /// As `act`; tries again for some seconds while ZFS says that the dataset is in use, as it is just after a container stopped.
    func actPatiently(_ arguments: [String]) async throws(DriverError) {
        for pause in [100, 200, 400, 800, 1600, 3200] {
            do {
                return try await act(arguments)
            } catch  where error.code == .busy {
                if (try? await Task.sleep(for: .milliseconds(pause))) == nil { throw error }
            }
        }
        try await act(arguments)
    }

    /// Runs a command that only looks and that says more than is to be kept: all of it goes to `output`.
    func pour(
        _ tool: Tool, _ arguments: [String], deadline: Duration? = nil, to output: @escaping Child.Consumer
    ) async throws(DriverError) {
        _ = try Self.check(
            await run(tool, arguments, deadline: deadline, outputLimit: Self.messageLimit, output: output),
            mayTruncate: true)
    }

    /// Runs a command that changes something by what it reads.
    func drink(_ arguments: [String], _ input: AsyncStream<[UInt8]>) async throws(DriverError) {
        do {
            _ = try Self.check(
                await run(.zfs, arguments, deadline: nil, input: .stream(input), outputLimit: Self.messageLimit),
                mayTruncate: true)
        } catch  where error.code == .cancelled || error.code == .timedOut {
            throw DriverError(
                .unknownOutcome, "\(error.message) while it worked", retryable: true, cause: error.cause)
        }
    }

    /// Whether the tool knows the words of a command that can do nothing: only what it does not know is `false`.
    func knows(_ tool: Tool, _ arguments: [String]) async throws(DriverError) -> Bool {
        do {
            _ = try await read(tool, arguments)
            return true
        } catch {
            switch error.code {
            case .unsupported: return false
            case .timedOut, .cancelled, .unavailable, .unknownOutcome, .permissionDenied: throw error
            default: return true
            }
        }
    }

    /// What is kept of the messages of a command whose output goes elsewhere.
    private static let messageLimit = 64 << 10

    /// What OpenZFS says of itself; the pool version where the tool is too old to say.
    func version() async -> String {
        if let text = try? await read(.zfs, ["version"]), let line = text.split(separator: "\n").first {
            return String(line.hasPrefix("zfs-") ? line.dropFirst(4) : line)
        }
        if let text = try? await read(.zpool, ["upgrade", "-v"]),
            let word = text.split(whereSeparator: { " .\n".contains($0) }).first(where: { Int($0) != nil })
        {
            return "pool-version-\(word)"
        }
        return "unknown"
    }

    /// Whether both tools are of a version that prints JSON.
    func speakJSON() async -> Bool {
        for tool in [Tool.zfs, .zpool] {
            guard let text = try? await read(tool, ["version", "-j"]),
                let answer = try? JSONParser.parse(text, limits: .local), answer["output_version"] != nil
            else { return false }
        }
        return true
    }

    private func run(
        _ tool: Tool, _ arguments: [String], deadline: Duration?, input: ProcessRequest.Input = .none,
        outputLimit: Int = 16 << 20, output: Child.Consumer? = nil
    ) async throws(DriverError) -> ProcessOutcome {
        let words = (tool == .zfs ? zfs : zpool) + arguments
        let request = ProcessRequest(
            words[0], Array(words.dropFirst()), standardInput: input, deadline: deadline, outputLimit: outputLimit)
        do {
            return try await Child.run(request, onOutput: output)
        } catch {
            throw DriverError(error)
        }
    }

    private static func check(
        _ outcome: ProcessOutcome, mayTruncate: Bool = false
    ) throws(DriverError) -> ProcessOutcome {
        switch outcome.ended {
        case .deadline:
            let said = lastWords(outcome)
            throw DriverError(
                .timedOut, "ZFS did not answer in time",
                cause: "the pool may be suspended" + (said.map { "; \($0)" } ?? ""))
        case .cancelled:
            let how = outcome.killed ? "did not obey and was killed" : "was stopped"
            throw DriverError(.cancelled, "zfs \(how)", cause: lastWords(outcome))
        case .itself: break
        }
        if outcome.exit != .code(0) {
            // Some complaints of the old tools come where their answers come; a stream is no complaint.
            let said = outcome.stderr.isEmpty && !mayTruncate ? outcome.outputText : outcome.errorText
            throw ZFSFailure.error(said, outcome.exit)
        }
        if outcome.truncated, !mayTruncate { throw DriverError(.failed, "zfs printed more than 16 MiB") }
        return outcome
    }
}

extension ZFSTools {
    /// The end of what a tool wrote to its standard error; nil for nothing.
    private static func lastWords(_ outcome: ProcessOutcome) -> String? {
        let text = String(decoding: outcome.stderr.suffix(600), as: UTF8.self).split(separator: "\n")
        return text.isEmpty ? nil : text.joined(separator: "; ")
    }
}

extension DriverError {
    fileprivate init(_ error: ProcessError) {
        switch error {
        case .cancelled: self.init(.cancelled, "cancelled before zfs was started")
        case .notFound, .notStarted: self.init(.unavailable, "zfs cannot be started", cause: error.description)
        case .notPermitted: self.init(.permissionDenied, "zfs may not be run", cause: error.description)
        case .unstoppable, .lost:
            self.init(.unknownOutcome, "zfs hangs in the kernel", cause: error.description)
        }
    }
}
