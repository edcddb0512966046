import DriverKit
import Glibc
import Processes
import WireProtocol

/// The command lines of the node, run without a shell and with untranslated messages.
///
/// A tool that changes something is told to end by TERM and never killed: KILL orphans its worker, which leaves a lock and
/// half-made volumes. What it says is read to the end, because it rolls back when its reader goes away.
struct ProxmoxTools: Sendable {
    enum Tool: String {
        case pct = "usr/sbin/pct"
        case pvesm = "usr/sbin/pvesm"
        case haManager = "usr/sbin/ha-manager"
        case vzdump = "usr/bin/vzdump"
        case pvesh = "usr/bin/pvesh"
        case umount = "usr/bin/umount"

        var word: String { rawValue.split(separator: "/").last.map(String.init) ?? rawValue }
    }

    static let toldToStop = "was told to stop while it worked"
    static let goesOn = "was told to stop and goes on"

    let root: String
    /// Time limit of a command that only looks.
    let patience: Duration
    /// Time that a tool has to roll back after TERM.
    var grace = Duration.seconds(60)

    var areInstalled: Bool { [Tool.pct, .pvesm].allSatisfy { access(path($0), X_OK) == 0 } }

    func path(_ tool: Tool) -> String { "\(root)/\(tool.rawValue)" }

    /// Runs a command that only looks; it may be killed.
    func read(_ tool: Tool, _ arguments: [String]) async throws(DriverError) -> String {
        let request = ProcessRequest(path(tool), arguments, deadline: patience, outputLimit: 16 << 20)
        return try check(tool, await run(tool, request)).outputText
    }

    /// Runs a command that changes something. It has no time limit of its own: the caller's cancellation ends it.
    @discardableResult
    func act(_ tool: Tool, _ arguments: [String]) async throws(DriverError) -> ProcessOutcome {
        var request = ProcessRequest(path(tool), arguments, grace: grace)
        request.mayBeKilled = false
        do throws(DriverError) {
            return try check(tool, await run(tool, request))
        } catch {
            guard error.code == .cancelled, error.cause != nil else { throw error }
            throw DriverError(
                .unknownOutcome, "\(tool.word) \(Self.toldToStop)", retryable: true, cause: error.cause)
        }
    }

    func run(
        _ tool: Tool, _ request: ProcessRequest, onOutput: Child.Consumer? = nil
    ) async throws(DriverError) -> ProcessOutcome {
        do {
            return try await Child.run(request, onOutput: onOutput)
        } catch {
            throw DriverError(error, tool)
        }
    }

    private func check(_ tool: Tool, _ outcome: ProcessOutcome) throws(DriverError) -> ProcessOutcome {
        switch outcome.ended {
        case .deadline:
            throw DriverError(.timedOut, "\(tool.word) did not answer in time", cause: ProxmoxFailure.said(outcome))
        case .cancelled:
            throw DriverError(.cancelled, "\(tool.word) was stopped", cause: ProxmoxFailure.said(outcome) ?? "silently")
        case .itself: break
        }
        guard outcome.exit == .code(0) else { throw ProxmoxFailure.error(tool, outcome) }
        return outcome
    }

    /// What the node's own API says, which is read through a tool.
    func ask(_ path: String) async throws(DriverError) -> JSONValue {
        let text = try await read(.pvesh, ["get", path, "--output-format", "json"])
        guard let value = try? JSONParser.parse(text) else {
            throw DriverError(.failed, "pvesh does not answer in JSON", cause: text.beginning(200))
        }
        return value
    }

    /// What the node says of itself.
    func version() async -> String { (try? await ask("/version"))?["version"]?.asString ?? "unknown" }

    /// The checksum of a file of the node.
    func sum(of path: String) async throws(DriverError) -> String {
        do {
            let outcome = try await Child.run(ProcessRequest("sha256sum", ["--", path]))
            let sum = outcome.outputText.prefix(64)
            if outcome.succeeded, sum.utf8.count == 64 { return String(sum) }
            throw DriverError(
                outcome.ended == .itself ? .failed : .cancelled, "no checksum of the content", cause: outcome.errorText)
        } catch let error as ProcessError {
            throw DriverError(.failed, "no checksum of the content", cause: error.description)
        } catch let error as DriverError {
            throw error
        } catch { throw DriverError(.failed, "no checksum of the content") }
    }
}

extension DriverError {
    fileprivate init(_ error: ProcessError, _ tool: ProxmoxTools.Tool) {
        switch error {
        case .cancelled: self.init(.cancelled, "cancelled before \(tool.word) was started")
        case .notFound, .notStarted:
            self.init(.unavailable, "\(tool.word) cannot be started", cause: error.description)
        case .notPermitted: self.init(.permissionDenied, "\(tool.word) may not be run", cause: error.description)
        case .unstoppable, .lost:
            self.init(.unknownOutcome, "\(tool.word) \(ProxmoxTools.goesOn)", cause: error.description)
        }
    }
}
