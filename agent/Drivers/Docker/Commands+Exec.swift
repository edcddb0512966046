import DriverKit
import Glibc
import HTTPFetch
import Model
import WireProtocol

/// `container.exec`: a command beside the container's own. The engine lets it live on when its caller goes away, so
/// whoever breaks off has to end it.
extension DockerDriver {
    static let execOperation = Operation<DockerDriver>(
        OperationSpec(
            "container.exec", .mutate, defaultDeadline: .seconds(300), summary: "runs a command in a running container")
    ) { (driver, call, context) throws(DriverError) in try await driver.execute(call, context) }

    private func execute(_ call: OperationCall, _ context: OperationContext) async throws(DriverError)
        -> OperationOutcome
    {
        var reader = ArgumentReader(call.arguments)
        let name = try reader.name("name", .containerName)
        let body = try Self.execution(&reader, secrets: call.secrets)
        try reader.finish()
        let state = try await existing(name)
        guard state.status == "running" else {
            throw DriverError(.conflict, "container \(name) is \(state.status), not running")
        }
        let created = try await engine.doing { () throws(EngineError) -> JSONValue in
            try await engine.call("POST", "/containers/\(state.id)/exec", body: body)
        }
        guard let id = created["Id"]?.asString else { throw DriverError(.failed, "the engine names no execution") }
        let execution = Execution(id: id, container: state.id, engine: engine)
        do {
            return try await run(execution, context)
        } catch {
            throw await execution.abandoned(after: error)
        }
    }

    private static func execution(_ reader: inout ArgumentReader, secrets: JSONObject) throws(DriverError) -> JSONObject
    {
        guard let command = try reader.strings("command"), let first = command.first, !first.isEmpty else {
            throw .invalidArgument("command", "must be a list of strings that begins with a program")
        }
        guard !command.contains(where: { $0.utf8.contains(0) }) else {
            throw .invalidArgument("command", "must not hold NUL")
        }
        var variables: [JSONValue] = []
        for member in (try reader.object("env")?.members ?? []) + (secrets["env"]?.asObject?.members ?? []) {
            guard let text = member.value.asString, !text.utf8.contains(0) else {
                throw .invalidArgument("env", "must hold strings without NUL")
            }
            variables.append(.string("\(member.key)=\(text)"))
        }
        var body: JSONObject = [
            "AttachStdout": true, "AttachStderr": true, "Tty": false, "Env": .array(variables),
            "Cmd": .array(command.map { .string($0) }),
        ]
        body["WorkingDir"] = try reader.optionalString("directory").map { .string($0) }
        body["User"] = try reader.optionalString("user").map { .string($0) }
        return body
    }

    private func run(_ execution: Execution, _ context: OperationContext) async throws(DriverError) -> OperationOutcome
    {
        let start: JSONObject = ["Detach": false, "Tty": false]
        let stream: HTTPStream
        do {
            stream = try await engine.stream(
                "POST", "/exec/\(execution.id)/start", headers: [("Content-Type", "application/json")],
                body: .bytes(JSONValue.object(start).encoded), head: .seconds(60))
        } catch { throw error.driverError }
        _ = try await relay(stream, framed: true, to: context)
        guard let end = try await execution.end(within: .seconds(10)) else {
            throw DriverError(.unknownOutcome, "the command's output ended, but the engine still shows it running")
        }
        // The runtime's refusal arrives as output; only the missing process tells it from a command's own 126 or 127.
        if end.pid == 0, [126, 127].contains(end.exitCode) {
            throw DriverError(
                .failed, end.exitCode == 127 ? "the command was not found" : "the command may not be executed")
        }
        return OperationOutcome(changed: true, observed: ["exit_code": .integer(end.exitCode)])
    }
}

/// One command within a container, as the engine keeps it.
struct Execution: Sendable {
    struct Status: Sendable, Hashable {
        var isRunning: Bool
        /// 0 before the start, and when there never was a process.
        var pid: Int64
        /// Nil before the start.
        var exitCode: Int64?
    }

    struct End: Sendable, Hashable {
        var pid: Int64
        var exitCode: Int64
    }

    let id: String
    let container: String
    let engine: Engine

    func status() async throws(EngineError) -> Status {
        let value = try await engine.call("GET", "/exec/\(id)/json", timeout: .seconds(10))
        return Status(
            isRunning: value["Running"]?.asBool ?? false, pid: value["Pid"]?.asInteger ?? 0,
            exitCode: value["ExitCode"]?.asInteger)
    }

    /// Nil when it still runs, or has not begun, after that time.
    func end(within limit: Duration) async throws(DriverError) -> End? {
        let last = ContinuousClock.now + limit
        while true {
            let status = try await engine.doing { () throws(EngineError) -> Status in try await self.status() }
            if !status.isRunning, let code = status.exitCode { return End(pid: status.pid, exitCode: code) }
            guard ContinuousClock.now < last else { return nil }
            do { try await Task.sleep(for: .milliseconds(50)) } catch { throw DriverError(.cancelled, "broken off") }
        }
    }

    /// Ends what may still run after a failure, also when the failure was the cancellation of this task, and says how
    /// that went.
    func abandoned(after error: DriverError) async -> DriverError {
        // Cancellation must not reach the clean-up.
        let ended = await Task { await self.killed() }.value
        if ended { return error }
        return DriverError(
            .unknownOutcome, "\(error.message); the command may still run in the container", cause: error.cause)
    }

    /// True when it is certain that no process of it is left.
    private func killed() async -> Bool {
        let steps: [(Int32, Duration)] = [(SIGTERM, .seconds(3)), (SIGKILL, .seconds(5)), (SIGKILL, .seconds(5))]
        for (signal, wait) in steps {
            guard let status = await statusOnceStarted() else { return false }
            if status.isRunning { send(signal, to: status.pid) }
            let ended: End?
            do { ended = try await end(within: status.isRunning ? wait : .zero) } catch { return false }
            if let ended {
                // What its shell started in the same group outlives it.
                send(SIGKILL, to: ended.pid)
                return true
            }
            if !status.isRunning { return true }
        }
        return false
    }

    /// A start whose answer was not awaited may still be under way: gives it two seconds to show.
    private func statusOnceStarted() async -> Status? {
        for _ in 0..<40 {
            guard let status = try? await self.status() else { return nil }
            if status.isRunning && status.pid > 0 || status.exitCode != nil { return status }
            try? await Task.sleep(for: .milliseconds(50))
        }
        return try? await status()
    }

    /// Signals the process group that the runtime made for the command: every member of the group that is in this
    /// container, so that a number that was given to somebody else is not hit.
    private func send(_ signal: Int32, to pid: Int64) {
        guard pid > 1 else { return }
        for member in ProcessFiles.members(ofGroup: Int32(pid)) where ProcessFiles.lies(member, inContainer: container)
        {
            kill(member, signal)
        }
    }
}
