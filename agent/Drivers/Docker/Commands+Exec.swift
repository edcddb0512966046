import DriverKit
import HTTPFetch
import Model
import WireProtocol

/// `container.exec`: a command beside the container's own. The engine lets it live on when its caller goes away, so
/// whoever breaks off has to end it.
extension DockerDriver {
    static let execAction = Action<DockerDriver>(
        ActionSpec(
            "container.exec", .mutate, defaultDeadline: .seconds(300), summary: "runs a command in a running container",
            lasting: true, input: .asked, givesBytes: true)
    ) { (driver, call, context) throws(DriverError) in try await driver.execute(call, context) }

    private func execute(_ call: ActionCall, _ context: ActionContext) async throws(DriverError)
        -> ActionOutcome
    {
        var reader = ArgumentReader(call.arguments)
        let name = try reader.string("name")
        let order = try ExecutionRequest(&reader, secrets: call.secrets)
        try reader.finish()
        guard let state = try await look(name) else {
            throw ExecutionRefusal.container("there is no container \(name)")
        }
        guard state.status == "running" else {
            throw ExecutionRefusal.container("container \(name) is \(state.status), not running")
        }
        let created: JSONValue
        do { created = try await engine.call("POST", "/containers/\(state.id)/exec", body: order.body) } catch {
            let isGone = error.isMissing || error.isConflict
            throw isGone ? ExecutionRefusal.container("container \(name) does not run any more") : error.driverError
        }
        guard let id = created["Id"]?.asString else { throw DriverError(.failed, "the engine names no execution") }
        let execution = Execution(id: id, container: state.id, engine: engine)
        do {
            return try await run(execution, order, context)
        } catch {
            throw await execution.abandoned(after: error)
        }
    }

    private func run(
        _ execution: Execution, _ order: ExecutionRequest, _ context: ActionContext
    ) async throws(DriverError) -> ActionOutcome {
        let resizing = order.hasTerminal ? Task { await resize(execution, order.size, context.screens) } : nil
        defer { resizing?.cancel() }
        let relay: OutputRelay
        do throws(DriverError) {
            relay =
                order.takesInput
                ? try await converse(execution, order, context) : try await listen(execution, order, context)
        } catch {
            // Newer engines refuse the start itself.
            if let text = error.cause, let refusal = ExecutionRefusal.error(exitCode: nil, text) { throw refusal }
            throw error
        }
        guard let end = try await execution.end(within: .seconds(10)) else {
            throw DriverError(.unknownOutcome, "the command's output ended, but the engine still shows it running")
        }
        // The runtime's refusal arrives as output; only the missing process tells it from a command's own 126 or 127.
        if end.pid == 0, let refusal = ExecutionRefusal.error(exitCode: end.exitCode, String(relay)) { throw refusal }
        return ActionOutcome(
            changed: true, observed: ["exit_code": .integer(end.exitCode), "bytes": .integer(relay.count)])
    }

    /// Without input: the answer of the start is the output.
    private func listen(
        _ execution: Execution, _ order: ExecutionRequest, _ context: ActionContext
    ) async throws(DriverError) -> OutputRelay {
        let stream: HTTPStream
        do {
            stream = try await engine.stream(
                "POST", "/exec/\(execution.id)/start", headers: [("Content-Type", "application/json")],
                body: .bytes(JSONValue.object(order.start).encoded), head: .seconds(60))
        } catch { throw error.driverError }
        return try await relay(stream, framed: !order.hasTerminal, to: context)
    }
}

/// What is to be run, and how.
struct ExecutionRequest: Sendable {
    let body: JSONObject
    let takesInput: Bool
    let hasTerminal: Bool
    /// Of the terminal at its beginning.
    let size: TerminalSize?

    var start: JSONObject { ["Detach": false, "Tty": .bool(hasTerminal)] }

    init(_ reader: inout ArgumentReader, secrets: JSONObject) throws(DriverError) {
        guard let command = try reader.strings("command"), let first = command.first, !first.isEmpty else {
            throw .invalidArgument("command", "must be a list of strings that begins with a program")
        }
        takesInput = try reader.bool("stdin")
        hasTerminal = try reader.bool("tty")
        let rows = try reader.optionalInteger("rows")
        let columns = try reader.optionalInteger("columns")
        size = rows.flatMap { rows in columns.map { TerminalSize(rows: rows, columns: $0) } }
        var body: JSONObject = [
            "AttachStdin": .bool(takesInput), "AttachStdout": true, "AttachStderr": true, "Tty": .bool(hasTerminal),
            "Env": .array(Self.variables(try reader.object("env"), secrets)),
            "Cmd": .array(command.map { .string($0) }),
        ]
        body["WorkingDir"] = try reader.optionalString("directory").map { .string($0) }
        body["User"] = try reader.optionalString("user").map { .string($0) }
        self.body = body
    }

    private static func variables(_ open: JSONObject?, _ secrets: JSONObject) -> [JSONValue] {
        let members = (open?.members ?? []) + (secrets["env"]?.asObject?.members ?? [])
        return members.compactMap { member in member.value.asString.map { .string("\(member.key)=\($0)") } }
    }
}

/// What `docker exec` says by 125, 126 and 127: nothing of the command ran.
enum ExecutionRefusal {
    /// 125: the container is not there, or does not run.
    static func container(_ problem: String) -> DriverError {
        refusal(.notFound, problem, 125)
    }

    /// 126 and 127, from the runtime's words: older engines call both of them 126.
    /// - Parameter exitCode: nil when the engine refused without one; then only words of the runtime count.
    static func error(exitCode: Int64?, _ text: String) -> DriverError? {
        let lower = text.lowercased()
        let isRefusal = lower.contains("oci runtime") || lower.contains("unable to start container process")
        guard exitCode.map({ [126, 127].contains($0) }) ?? isRefusal else { return nil }
        let absent = ["executable file not found", "no such file or directory", "unable to find user"]
        let isAbsent = absent.contains { lower.contains($0) } || (exitCode == 127 && !isRefusal)
        return isAbsent
            ? refusal(.invalidArgument, "the command was not found", 127, text)
            : refusal(.invalidArgument, "the command may not be executed", 126, text)
    }

    private static func refusal(
        _ code: DriverErrorCode, _ problem: String, _ status: Int64, _ text: String = ""
    ) -> DriverError {
        let cause = text.isEmpty ? "" : ": " + text.printable(limit: 500)
        return DriverError(code, problem, cause: "exit status \(status)" + cause)
            .observing(["exit_code": .integer(status)])
    }
}

extension String {
    fileprivate init(_ relay: OutputRelay) { self.init(decoding: relay.beginning, as: UTF8.self) }
}
