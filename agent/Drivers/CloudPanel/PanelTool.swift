import DriverKit
import Processes

/// Runs `clpctl` and the few programs of the system beside it, one at a time, without a shell of our own.
///
/// The tool is itself a shell script that quotes its words for another shell; so no word leaves here that holds anything
/// a shell could read: every argument has passed a grammar.
struct PanelTool: Sendable {
    let places: PanelPlaces
    /// Time limit of a command that only looks and of the programs beside the tool.
    let patience: Duration

    /// Calls a command. What became of it is for the caller to see.
    /// - Parameter secrets: among the options; taken out of what the tool says.
    func call(
        _ command: String, _ options: [(name: String, value: String)] = [], force: Bool = false,
        secrets: [String] = [], deadline: Duration? = nil
    ) async throws(DriverError) -> PanelAnswer {
        let words = options.map { "--\($0.name)=\($0.value)" } + (force ? ["--force"] : [])
        let request = ProcessRequest(
            places.tool, [command] + words + ["--no-ansi", "--no-interaction"], deadline: deadline,
            outputLimit: 256 << 10)
        let outcome = try await Self.run(request)
        return PanelAnswer(command: command, outcome: outcome, secrets: secrets)
    }

    /// Calls a command that only looks and must succeed.
    func read(_ command: String) async throws(DriverError) -> String {
        let answer = try await call(command, deadline: patience)
        if let error = answer.error { throw error }
        return answer.text
    }

    /// Runs a program of the system to its end, also when the caller has been cancelled: it tidies up.
    func system(_ program: String, _ words: [String], input: String? = nil) async -> SystemAnswer {
        guard Files.isExecutable(program) else { return SystemAnswer(problem: "there is no \(program)") }
        let request = ProcessRequest(
            program, words, standardInput: input.map { .bytes(Array($0.utf8)) } ?? .none,
            deadline: min(patience, .seconds(15)), outputLimit: 64 << 10)
        return await Task { await Self.finish(request) }.value
    }

    private static func finish(_ request: ProcessRequest) async -> SystemAnswer {
        do throws(ProcessError) {
            let outcome = try await Child.run(request)
            if outcome.succeeded { return SystemAnswer(problem: nil) }
            let said = (outcome.errorText + outcome.outputText).split(separator: "\n").suffix(4).map(String.init)
            let how = outcome.ended == .itself ? "ended with \(outcome.exit)" : "did not end in time"
            return SystemAnswer(problem: ([how] + said).joined(separator: "; ").beginning(600))
        } catch { return SystemAnswer(problem: error.description) }
    }

    static func run(
        _ request: ProcessRequest, onOutput: Child.Consumer? = nil
    ) async throws(DriverError) -> ProcessOutcome {
        do throws(ProcessError) {
            return try await Child.run(request, onOutput: onOutput)
        } catch { throw DriverError(error) }
    }
}

/// How a program of the system ended; nil is well.
struct SystemAnswer: Sendable, Hashable {
    let problem: String?
}

/// What a command of the panel's tool said and how it ended. Both are hearsay: it says "exported" of nothing, and ends
/// with 0 after it has asked a question that nobody answered.
struct PanelAnswer: Sendable, Hashable {
    let command: String
    let outcome: ProcessOutcome
    /// Both outputs without secrets, its errors stand on the standard output.
    let text: String
    /// The last lines, for people.
    let said: String?

    init(command: String, outcome: ProcessOutcome, secrets: [String]) {
        self.command = command
        self.outcome = outcome
        var text = outcome.outputText + "\n" + outcome.errorText
        for secret in secrets where !secret.isEmpty { text = text.without(secret) }
        self.text = text
        let lines = text.split(whereSeparator: \.isNewline).map { $0.trimmed }.filter { !$0.isEmpty }.suffix(6)
        said = lines.isEmpty ? nil : lines.joined(separator: "; ").ending(600)
    }

    /// What the end of the tool means, if what was asked for is not so; nil when it claims success.
    var error: DriverError? {
        switch outcome.ended {
        case .itself: break
        case .deadline: return DriverError(.timedOut, "clpctl did not answer in time", cause: said)
        case .cancelled:
            let how = outcome.killed ? "did not obey and was killed" : "was stopped"
            return DriverError(
                .unknownOutcome, "clpctl \(command) \(how) while it worked", retryable: true, cause: said)
        }
        switch outcome.exit {
        case .code(0): return nil
        case .code(let code): return PanelFailure.error(text, command, code, said)
        case .signal(let number):
            return DriverError(
                .unknownOutcome, "clpctl \(command) was killed by signal \(number)", retryable: true, cause: said)
        }
    }

    /// The error for what is not so, although it was done: the tool's own where it has one.
    func failure(_ message: String) -> DriverError {
        error ?? DriverError(.failed, "clpctl \(command) claims success, and yet \(message)", cause: said)
    }
}

extension StringProtocol {
    var trimmed: String {
        String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }

    /// The text with a part of it masked.
    func without(_ secret: String) -> String {
        let (bytes, mask) = (Array(utf8), Array(secret.utf8))
        guard !mask.isEmpty else { return String(self) }
        var result: [UInt8] = []
        var place = 0
        while place < bytes.count {
            if bytes[place...].starts(with: mask) {
                result += Array("[secret]".utf8)
                place += mask.count
            } else {
                result.append(bytes[place])
                place += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}

extension DriverError {
    init(_ error: ProcessError) {
        switch error {
        case .cancelled: self.init(.cancelled, "cancelled before clpctl was started")
        case .notFound, .notStarted: self.init(.unavailable, "clpctl cannot be started", cause: error.description)
        case .notPermitted: self.init(.permissionDenied, "clpctl may not be run", cause: error.description)
        case .unstoppable, .lost:
            self.init(.unknownOutcome, "clpctl hangs in the kernel", cause: error.description)
        }
    }
}
