import DriverKit
import Processes
import Synchronization
import WireProtocol

/// A command inside a container.
extension ProxmoxDriver {
    static let insideActions: [Action<ProxmoxDriver>] = [
        Action(
            ActionSpec(
                "container.exec", .mutate, defaultDeadline: .seconds(300),
                summary: "runs a command in a running container", lasting: true,
                input: .asked, givesBytes: true)
        ) { (driver, call, context) throws(DriverError) in try await driver.execute(call, context) }
    ]

    /// The words go behind `--`, where the tool reads none of them, and the command gets an environment of its own: the
    /// tool would hand it the agent's.
    private func execute(
        _ call: ActionCall, _ context: ActionContext
    ) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let vmid = try reader.vmid(of: call)
        let command = try Self.command(&reader)
        let takesInput = try reader.bool("stdin")
        try Self.refuseTerminal(&reader)
        try reader.finish()
        let found = try await require(vmid)
        guard found.isRunning else { throw DriverError(.conflict, "container \(vmid) does not run") }
        var request = ProcessRequest(
            tools.path(.pct), ["exec", "\(vmid)", "--keep-env", "0", "--"] + command, outputLimit: 4096)
        if takesInput { request.standardInput = .stream(context.input) }
        // What ends here is the way into the container, which holds no lock: it may be killed, with the command.
        let hasSpoken = Atomic(false)
        let outcome = try await tools.run(.pct, request) { stream, bytes throws(CancellationError) in
            if stream == .stdout, !bytes.isEmpty { hasSpoken.store(true, ordering: .relaxed) }
            try await context.output(stream == .stdout ? .stdout : .stderr, bytes)
        }
        if outcome.ended == .itself, !hasSpoken.load(ordering: .relaxed) {
            try await checkRefusal(outcome, vmid, command)
        }
        return try Self.end(outcome)
    }

    /// What is asked of other drivers and cannot be had here: without a terminal of its own the tool gives the command none.
    private static func refuseTerminal(_ reader: inout ArgumentReader) throws(DriverError) {
        for size in ["rows", "columns"] { _ = try reader.optionalInteger(size) }
        if try reader.bool("tty") {
            throw DriverError(.unsupported, "a command in a Proxmox container has no terminal: run it without one")
        }
        if let user = try reader.optionalString("user"), user != "root" {
            throw DriverError(
                .unsupported,
                "a command in a Proxmox container runs as root: let it change to \(user.prefix(32)) itself")
        }
    }

    private static func command(_ reader: inout ArgumentReader) throws(DriverError) -> [String] {
        guard let command = try reader.strings("command"), let first = command.first, !first.isEmpty else {
            throw .invalidArgument("command", "must be a list of strings that begins with a program")
        }
        guard command.count <= 1000, !command.contains(where: { $0.utf8.contains(0) }) else {
            throw .invalidArgument("command", "must have at most 1000 words, none with NUL")
        }
        return command
    }

    private static func end(_ outcome: ProcessOutcome) throws(DriverError) -> ActionOutcome {
        guard outcome.ended == .itself else {
            let how = outcome.killed ? "did not obey and was killed" : "was stopped"
            throw DriverError(.cancelled, "the command \(how)", cause: ProxmoxFailure.said(outcome))
        }
        guard case .code(let code) = outcome.exit else {
            throw DriverError(
                .unknownOutcome, "the way into the container was cut off", cause: ProxmoxFailure.said(outcome))
        }
        return ActionOutcome(changed: true, observed: ["exit_code": .integer(Int64(code))])
    }

    /// The tool's own refusals and the command's codes are the same numbers, and a command may say what the tool says: only
    /// the tool's whole sentence alone is taken for its own, and only when the container is found to be so.
    private func checkRefusal(
        _ outcome: ProcessOutcome, _ vmid: Int, _ command: [String]
    ) async throws(DriverError) {
        guard case .code(let code) = outcome.exit, code != 0 else { return }
        let words = outcome.errorText
        switch words {
        case "Configuration file 'nodes/\(files.node)/lxc/\(vmid).conf' does not exist\n":
            if try await look(vmid) == nil { throw ProxmoxFailure.error(.pct, outcome) }
        case "container '\(vmid)' not running!\n":
            if try await look(vmid)?.isRunning != true { throw ProxmoxFailure.error(.pct, outcome) }
        default:
            guard code == 126 || code == 127, words.hasPrefix("lxc-attach: \(vmid): "),
                words.hasSuffix(" - Failed to exec \"\(command[0])\"\n"), words.contains(": lxc_attach_run_command: "),
                words.firstIndex(of: "\n") == words.lastIndex(of: "\n")
            else { return }
            throw DriverError(.failed, code == 127 ? "the command was not found" : "the command may not be executed")
                .observing(["exit_code": .integer(Int64(code))])
        }
    }
}
