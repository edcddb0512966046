import DriverKit
import Glibc
import Processes
import Synchronization
import WireProtocol

/// Compose's command line: the plugin of the docker CLI, or docker-compose 1.29.
struct ComposeTool: Sendable {
    /// First words: `docker compose` or `docker-compose`.
    let words: [String]
    /// `2.29.1`, `1.29.2`.
    let version: String
    /// Prints its configuration as JSON, and takes newer options.
    var isPlugin: Bool { !version.hasPrefix("1.") }

    /// Asks each that may be there for its version. A docker CLI without the plugin fails in its own way.
    static func find(_ given: [String]?) async throws(DriverError) -> ComposeTool {
        for words in given.map({ [$0] }) ?? [["docker", "compose"], ["docker-compose"]] {
            let request = ProcessRequest(
                words[0], Array(words.dropFirst()) + ["version", "--short"], deadline: .seconds(20),
                outputLimit: 4096)
            let outcome: ProcessOutcome
            do { outcome = try await Child.run(request) } catch {
                if error == .cancelled { throw DriverError(.cancelled, "broken off") }
                continue
            }
            guard outcome.ended != .cancelled else { throw DriverError(.cancelled, "broken off") }
            let text = String(outcome.outputText.drop { $0 == "v" }.prefix { $0.isNumber || $0 == "." })
            if outcome.succeeded, text.contains(".") { return ComposeTool(words: words, version: text) }
        }
        throw DriverError(
            .unavailable, "neither docker compose nor docker-compose works on this node", retryable: false)
    }
}

/// Remembers the tool that was found.
final class ComposeToolbox: Sendable {
    private let given: [String]?
    private let found = Mutex<ComposeTool?>(nil)

    init(_ given: [String]?) { self.given = given }

    func tool() async throws(DriverError) -> ComposeTool {
        if let tool = found.withLock({ $0 }) { return tool }
        let tool = try await ComposeTool.find(given)
        found.withLock { $0 = tool }
        return tool
    }
}

/// One project at the tool: which file, which folder, which variables.
struct ComposeRun: Sendable {
    let tool: ComposeTool
    let socket: String
    let project: String
    /// Where it works, and where the file lies.
    let folder: String
    let file: String
    /// What the file's variables are; they reach the tool by its environment and stand in no message.
    let variables: ComposeVariables
    /// Folder of a `config.json` with a registry's login.
    var login: String?

    /// - Parameter onLine: each line that the tool writes.
    @discardableResult
    func run(
        _ arguments: [String], deadline: Duration? = nil, onLine: (@Sendable (String) -> Void)? = nil
    ) async throws(DriverError) -> String {
        var environment = variables.all
        environment["DOCKER_HOST"] = "unix://\(socket)"
        environment["DOCKER_CONFIG"] = login
        if !tool.isPlugin { environment["COMPOSE_API_VERSION"] = "auto" }
        let words =
            ["-p", project, "--project-directory", folder, "--env-file", "\(folder)/\(ComposeFolder.noVariables)"]
            + ["-f", file] + arguments
        let request = ProcessRequest(
            tool.words[0], Array(tool.words.dropFirst()) + words, environment: environment, workingDirectory: folder,
            deadline: deadline, grace: .seconds(15), outputLimit: 4 << 20)
        let lines = onLine.map { LineTeller($0, variables) }
        let outcome: ProcessOutcome
        do {
            outcome = try await Child.run(request) { (_, bytes) throws(CancellationError) in lines?.take(bytes) }
        } catch { throw DriverError(composing: error) }
        return try check(outcome)
    }

    private func check(_ outcome: ProcessOutcome) throws(DriverError) -> String {
        let said = variables.redact(String(decoding: outcome.stderr.suffix(1500), as: UTF8.self)).printable(limit: 1500)
        let cause = said.isEmpty ? nil : said
        switch outcome.ended {
        case .deadline: throw DriverError(.timedOut, "compose did not end in time", cause: cause)
        case .cancelled:
            let how = outcome.killed ? "did not obey and was killed" : "was stopped"
            throw DriverError(.cancelled, "compose \(how)", cause: cause)
        case .itself: break
        }
        guard outcome.exit == .code(0) else { throw Self.failure(outcome.exit, said) }
        if outcome.truncated { throw DriverError(.failed, "compose printed more than 4 MiB") }
        return outcome.outputText
    }

    /// Compose hands the engine's messages on, and adds its own.
    private static func failure(_ exit: ProcessOutcome.Exit, _ said: String) -> DriverError {
        let lower = said.lowercased()
        let own: [(String, DriverErrorCode, Bool)] = [
            ("cannot connect to the docker daemon", .unavailable, true),
            ("couldn't connect to docker daemon", .unavailable, true),
            ("is invalid because", .invalidArgument, false), ("validating ", .invalidArgument, false),
            ("unsupported config option", .invalidArgument, false), ("invalid interpolation", .invalidArgument, false),
            ("yaml:", .invalidArgument, false), ("undefined service", .invalidArgument, false),
            ("refers to undefined", .invalidArgument, false), ("which is undefined", .invalidArgument, false),
            ("declared as external", .notFound, false),
            ("invalid compose project", .invalidArgument, false),
        ]
        if let (_, code, retryable) = own.first(where: { lower.contains($0.0) }) {
            return DriverError(code, "compose refused", retryable: retryable, cause: said)
        }
        if case .signal(let number) = exit {
            return DriverError(.failed, "compose was ended by signal \(number)", retryable: true, cause: said)
        }
        let engine = EngineError.refused(status: 500, message: said).driverError
        return DriverError(engine.code, "compose failed", retryable: engine.retryable, cause: said.isEmpty ? nil : said)
    }
}

/// Cuts what the tool writes at its line ends.
private final class LineTeller: Sendable {
    private let tell: @Sendable (String) -> Void
    private let variables: ComposeVariables
    private let rest = Mutex<[UInt8]>([])

    init(_ tell: @escaping @Sendable (String) -> Void, _ variables: ComposeVariables) {
        self.tell = tell
        self.variables = variables
    }

    func take(_ bytes: [UInt8]) {
        let lines: [[UInt8]] = rest.withLock { rest in
            var parts = (rest + bytes).split(omittingEmptySubsequences: false) { $0 == 0x0A || $0 == 0x0D }
            // A line without an end is not waited for for ever.
            rest = Array((parts.popLast() ?? []).suffix(4096))
            return parts.map { Array($0) }
        }
        for line in lines where !line.isEmpty {
            tell(variables.redact(String(decoding: line.prefix(4096), as: UTF8.self)).printable(limit: 300))
        }
    }
}

/// Values for the variables of a compose file.
struct ComposeVariables: Sendable {
    /// May be told.
    var plain: [String: String] = [:]
    /// May not.
    var secret: [String: String] = [:]

    var all: [String: String] { plain.merging(secret) { $1 } }

    init() {}

    init(plain: [String: String], secret: [String: String]) {
        (self.plain, self.secret) = (plain, secret)
    }

    func redact(_ text: String) -> String {
        var text = text
        // The longest first: one may be a part of another.
        for value in secret.values.sorted(by: { $0.utf8.count > $1.utf8.count }) where value.utf8.count >= 3 {
            text = text.replacingOccurrences(of: value, with: "***")
        }
        return text
    }
}

extension String {
    fileprivate func replacingOccurrences(of part: String, with other: String) -> String {
        let (bytes, pattern) = (Array(utf8), Array(part.utf8))
        var result: [UInt8] = []
        var place = 0
        while place < bytes.count {
            if bytes[place] == pattern[0], bytes[place...].starts(with: pattern) {
                result += Array(other.utf8)
                place += pattern.count
            } else {
                result.append(bytes[place])
                place += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
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
