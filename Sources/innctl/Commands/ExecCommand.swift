import APIModels
import ArgumentParser
import Glibc
import WireProtocol

/// A command inside a guest, as if it ran here.
struct ExecCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exec", abstract: "Run a command inside a guest of a node: a Docker container or a Proxmox guest.",
        discussion: """
            innctl exec web1 shop -- ls -l /srv
            tar c . | innctl exec web1 shop -- tar x -C /srv
            innctl exec -it web1 shop -- sh

            The exit code is that of the command; 126 when it may not be executed there, 127 when it is not there, 125 \
            when it could not be run for another reason or nobody knows its end, 130 when somebody else called it \
            off; 128 and its number when a signal ended it from here. The node's policy must allow \
            docker.container.exec or proxmox.container.exec by name.
            """)
    @Flag(name: [.customShort("i"), .long], help: "Send standard input. Done anyway when it is no terminal.")
    var interactive = false
    @Flag(name: [.customShort("t"), .long], help: "Give the command a terminal.") var tty = false
    @Option(help: "docker or proxmox; by default what the node has, for a number proxmox.") var driver: GuestDriver?
    @Option(help: "How long it may run: 90s, 10m, 2h. With a terminal 12h by default.") var deadline: Span?
    @Argument(help: "Id or name of the node.") var node: String
    @Argument(help: "Name of the container, or number of the guest.") var guest: String
    @Argument(parsing: .postTerminator, help: "The command and its words, behind --.") var command: [String] = []

    func validate() throws {
        if command.isEmpty { throw ValidationError("say what to run behind --: innctl exec NODE GUEST -- ls") }
        if tty, isatty(STDIN_FILENO) != 1 { throw ValidationError("-t needs a terminal on standard input") }
    }

    func run() async throws {
        let controller = try Controller.connect()
        let driver = try await chosenDriver(controller)
        let sendsInput = interactive || isatty(STDIN_FILENO) != 1
        let order = driver.order(
            guest, command, stdin: sendsInput, screen: tty ? RawTerminal.size : nil,
            deadline: deadline.map { Int64($0.seconds) } ?? (tty ? 12 * 3600 : nil))
        let path = "/api/v1/nodes/\(PercentEncoding.encode(node))/commands"
        let accepted: AcceptedOperation = try await controller.change("POST", path, order)
        let sink = OutputSink(isWhole: !tty)
        let conversation = Conversation(
            controller, operation: accepted.operation.id, sendsInput: sendsInput, hasTerminal: tty, into: sink)
        let signals = ByteSource(Departure.arm())
        if tty { RawTerminal.begin() }
        let ended = await conversation.end(signals)
        Departure.restore()
        if let signal = conversation.stoppedBy { Glibc.exit(128 + signal) }
        do throws(Failure) {
            let operation = try ended.get()
            try sink.checkEnd(all: operation.outputBytes)
            if operation.state == "failed", operation.outputBytes ?? 0 == 0 { await hint(controller) }
            Glibc.exit(operation.exitStatus)
        } catch {
            Terminal.complain(error.message)
            Glibc.exit(125)
        }
    }

    /// What is called as a service here has another name on its node.
    private func hint(_ controller: Controller) async {
        let path = "/api/v1/services/\(PercentEncoding.encode(guest))"
        guard let service = try? await controller.get(path) as Service, service.id != guest else { return }
        Terminal.note(Terminal.clean("hint: \(guest) is a service; innctl service exec \(guest) -- … enters it"))
    }

    private func chosenDriver(_ controller: Controller) async throws(Failure) -> GuestDriver {
        if let driver { return driver }
        let path = "/api/v1/nodes/\(PercentEncoding.encode(node))/actions"
        let listing: Listing<ActionOffer> = try await controller.get(path)
        let able = GuestDriver.allCases.filter { driver in
            listing.items.contains { $0.name == "\(driver.rawValue).container.exec" }
        }
        guard let first = able.first else {
            throw Failure(.notFound, "node \(node) has neither Docker containers nor Proxmox guests")
        }
        guard able.count > 1 else { return first }
        return Int64(guest) != nil ? .proxmox : .docker
    }
}

/// Whose guests can be entered.
enum GuestDriver: String, ExpressibleByArgument, CaseIterable, Sendable {
    case docker, proxmox
}

extension GuestDriver {
    /// - Parameter screen: rows and columns of a terminal; nil for none.
    func order(
        _ guest: String, _ command: [String], stdin: Bool, screen: (rows: Int64, columns: Int64)?, deadline: Int64?
    ) -> CommandBody {
        var arguments: JSONObject = ["command": .array(command.map { .string($0) }), "stdin": .bool(stdin)]
        if let screen {
            arguments["tty"] = true
            arguments["rows"] = .integer(screen.rows)
            arguments["columns"] = .integer(screen.columns)
        }
        var resource = "docker/\(guest)"
        switch self {
        case .docker: arguments["name"] = .string(guest)
        case .proxmox:
            resource = "proxmox/ct/\(guest)"
            arguments["vmid"] = Int64(guest).map { .integer($0) } ?? .string(guest)
        }
        return CommandBody(
            operation: "\(rawValue).container.exec", resource: resource, arguments: .object(arguments),
            deadlineSeconds: deadline, follow: true, attended: true)
    }
}

extension APIModels.Operation {
    /// Bytes that its command has written to its standard output; nil where the node does not say.
    var outputBytes: Int64? { result?["output_bytes"]?.asInteger }

    /// What a shell would say of the command's end.
    fileprivate var exitStatus: Int32 {
        if state == "succeeded", let code = result?["observed"]?["exit_code"]?.asInteger {
            return Int32(truncatingIfNeeded: code) & 0xFF
        }
        Terminal.complain(error.map { Self.words(of: $0.message) } ?? "operation \(id) \(state)")
        if state == "cancelled" { return 130 }
        // The node says by these, as `docker exec` does, that nothing of the command ran.
        if state == "failed", let code = result?["observed"]?["exit_code"]?.asInteger { return Int32(code & 0xFF) }
        return 125
    }

    /// Without the engine's own sentence, which has come as the command's output.
    private static func words(of message: String) -> String {
        String(message[..<(message.ranges(of: ": exit status ").first?.lowerBound ?? message.endIndex)])
    }
}
