import DriverKit
import Processes
import Synchronization
import WireProtocol

/// What the tool gave.
struct ComposeAnswer: Sendable {
    let output: String
    /// Of reading the file; what it says of other work is progress.
    let warnings: [String]
}

/// One project at the tool: which file, which folder, which variables.
struct ComposeRun: Sendable {
    let tool: ComposeTool
    let socket: String
    let project: String
    /// The project's own, to which relative paths belong whichever file is read.
    let folder: ComposeFolder
    /// Where the tool works; another one when a file is only tried.
    let scratch: ComposeFolder
    let file: String
    /// What the file's variables are; they reach the tool by its environment and stand in no message.
    let variables: ComposeVariables
    /// Folder of a `config.json` with a registry's login.
    var login: String?

    /// - Parameter onLine: each line that the tool writes.
    @discardableResult
    func run(
        _ arguments: [String], deadline: Duration? = nil, onLine: (@Sendable (String) -> Void)? = nil
    ) async throws(DriverError) -> ComposeAnswer {
        var environment = variables.all
        environment["DOCKER_HOST"] = "unix://\(socket)"
        environment["DOCKER_CONFIG"] = login
        if !tool.isPlugin { environment["COMPOSE_API_VERSION"] = "auto" }
        let words =
            ["-p", project, "--project-directory", folder.path]
            + ["--env-file", "\(scratch.path)/\(ComposeFolder.noVariables)", "-f", file] + arguments
        let request = ProcessRequest(
            tool.words[0], Array(tool.words.dropFirst()) + words, environment: environment,
            workingDirectory: scratch.path, deadline: deadline, grace: .seconds(15), outputLimit: 4 << 20)
        let lines = onLine.map { tell in LineTeller { tell(told($0).printable(limit: 300)) } }
        let outcome: ProcessOutcome
        do {
            outcome = try await Child.run(request) { (_, bytes) throws(CancellationError) in lines?.take(bytes) }
        } catch { throw DriverError(composing: error) }
        return try check(outcome, isReading: arguments.first == "config")
    }

    /// Without secret values, and by the names that the project's files will have.
    private func told(_ text: String) -> String {
        variables.redact(text).replacingOccurrences(of: file, with: folder.file)
            .replacingOccurrences(of: scratch.path + "/", with: folder.path + "/")
    }

    /// - Parameter isReading: whether the tool was only to read the file.
    private func check(_ outcome: ProcessOutcome, isReading: Bool) throws(DriverError) -> ComposeAnswer {
        let said = told(String(decoding: outcome.stderr.suffix(1500), as: UTF8.self)).printable(limit: 1500)
        let cause = said.isEmpty ? nil : said
        switch outcome.ended {
        case .deadline: throw DriverError(.timedOut, "compose did not end in time", cause: cause)
        case .cancelled:
            let how = outcome.killed ? "did not obey and was killed" : "was stopped"
            throw DriverError(.cancelled, "compose \(how)", cause: cause)
        case .itself: break
        }
        guard outcome.exit == .code(0) else {
            throw ComposeWords.failure(outcome.exit, said, isReading: isReading)
        }
        if outcome.truncated { throw DriverError(.failed, "compose printed more than 4 MiB") }
        let words = told(String(decoding: outcome.stderr.prefix(64 << 10), as: UTF8.self))
        return ComposeAnswer(output: outcome.outputText, warnings: isReading ? ComposeWords.warnings(words) : [])
    }
}

/// Cuts what the tool writes at its line ends.
private final class LineTeller: Sendable {
    private let tell: @Sendable (String) -> Void
    private let rest = Mutex<[UInt8]>([])

    init(_ tell: @escaping @Sendable (String) -> Void) { self.tell = tell }

    func take(_ bytes: [UInt8]) {
        let lines: [[UInt8]] = rest.withLock { rest in
            var parts = (rest + bytes).split(omittingEmptySubsequences: false) { $0 == 0x0A || $0 == 0x0D }
            // A line without an end is not waited for for ever.
            rest = Array((parts.popLast() ?? []).suffix(4096))
            return parts.map { Array($0) }
        }
        for line in lines where !line.isEmpty { tell(String(decoding: line.prefix(4096), as: UTF8.self)) }
    }
}

extension DriverError {
    fileprivate init(composing error: ProcessError) {
        switch error {
        case .cancelled: self.init(.cancelled, "cancelled before compose was started")
        case .notFound, .notStarted: self.init(.unavailable, "compose cannot be started", cause: error.description)
        case .notPermitted: self.init(.permissionDenied, "compose may not be run", cause: error.description)
        case .unstoppable, .lost: self.init(.unknownOutcome, "compose hangs", cause: error.description)
        }
    }
}
