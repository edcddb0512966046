import DriverKit
import Processes
import WireProtocol

/// What the tool says beside its work, in the words of docker-compose 1.29 and of the plugin.
enum ComposeWords {
    private static let warningLimit = 50

    /// Parts of messages whose kind is not the engine's. Compose hands the engine's messages on, and adds its own.
    private static let own: [(String, DriverErrorCode, retryable: Bool)] = [
        ("cannot connect to the docker daemon", .unavailable, true),
        ("couldn't connect to docker daemon", .unavailable, true),
        ("is invalid because", .invalidArgument, false), ("validating ", .invalidArgument, false),
        ("unsupported config option", .invalidArgument, false), ("invalid interpolation", .invalidArgument, false),
        ("error while interpolating", .invalidArgument, false), ("missing mandatory value", .invalidArgument, false),
        ("no declaration was found", .invalidArgument, false), ("is missing a value", .invalidArgument, false),
        ("yaml:", .invalidArgument, false), ("undefined service", .invalidArgument, false),
        ("refers to undefined", .invalidArgument, false), ("which is undefined", .invalidArgument, false),
        ("uses an undefined", .invalidArgument, false),
        ("declared as external", .notFound, false), ("invalid compose project", .invalidArgument, false),
    ]
    /// What may keep the tool from reading a file that is good.
    private static let outside: Set<DriverErrorCode> = [.unavailable, .outOfSpace, .timedOut, .busy, .permissionDenied]

    static func failure(_ exit: ProcessOutcome.Exit, _ said: String, isReading: Bool) -> DriverError {
        let lower = said.lowercased()
        if let (_, code, retryable) = own.first(where: { lower.contains($0.0) }) {
            return DriverError(code, "compose refused", retryable: retryable, cause: said)
        }
        if case .signal(let number) = exit {
            return DriverError(.failed, "compose was ended by signal \(number)", retryable: true, cause: said)
        }
        let engine = EngineError.refused(status: 500, message: said).driverError
        if isReading, !said.isEmpty, !outside.contains(engine.code), !lower.contains("traceback (most recent") {
            return DriverError(.invalidArgument, "compose refused", cause: said)
        }
        return DriverError(engine.code, "compose failed", retryable: engine.retryable, cause: said.isEmpty ? nil : said)
    }

    /// The lines of a tool that has read a file and found it good, each once. The plugin names the level of each; the
    /// other writes warnings and nothing else.
    static func warnings(_ said: String) -> [String] {
        var warnings: [String] = []
        for line in said.split(whereSeparator: \.isNewline) where warnings.count < warningLimit {
            guard let text = warning(line), !warnings.contains(text) else { continue }
            warnings.append(text)
        }
        return warnings
    }

    private static func warning(_ line: Substring) -> String? {
        let words = line.split(separator: " ").lazy
        guard let level = words.first(where: { $0.hasPrefix("level=") }) else {
            return String(line).printable(limit: 300)
        }
        guard level.hasPrefix("level=warn") || level.hasPrefix("level=err") else { return nil }
        guard let start = words.first(where: { $0.hasPrefix("msg=\"") })?.startIndex else {
            return String(line).printable(limit: 300)
        }
        return unquoted(line[start...].dropFirst(5)).printable(limit: 300)
    }

    /// Between the first quote and the next that is not escaped.
    private static func unquoted(_ text: Substring) -> String {
        var result = ""
        var isEscaped = false
        for character in text {
            if !isEscaped, character == "\"" { break }
            isEscaped = !isEscaped && character == "\\"
            if !isEscaped { result.append(character) }
        }
        return result
    }
}
