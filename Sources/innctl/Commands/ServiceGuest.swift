import APIModels
import ArgumentParser
import Glibc

// A service's container, entered and read by the service's name: its node and what it is called there follow.

struct ServiceLogs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "What a service's container has printed.")
    @Argument(help: "Id or external id.") var service: String
    @Flag(name: [.short, .long], help: "Go on with what it prints from now on, until interrupted.") var follow = false
    @Option(name: .long, help: "The last so many lines.") var tail = 100

    func validate() throws {
        guard (0...1_000_000).contains(tail) else { throw ValidationError("--tail must be 0 to 1000000") }
    }

    func run() async throws {
        let place = try await ServiceGuest(service)
        let words = ["docker.container.logs", "--resource", "docker/\(place.guest)", "name=\(place.guest)"]
        try await NodeRun.parse([place.node] + words + ["tail=\(tail)", "follow=\(follow)", "--bare"]).run()
    }
}

struct ServiceExec: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exec", abstract: "Run a command inside a service's container.",
        discussion: "As `innctl exec`, whose help tells of exit codes and of what the node's policy must allow.")
    @Flag(name: [.customShort("i"), .long], help: "Send standard input. Done anyway when it is no terminal.")
    var interactive = false
    @Flag(name: [.customShort("t"), .long], help: "Give the command a terminal.") var tty = false
    @Option(help: "How long it may run: 90s, 10m, 2h. With a terminal 12h by default.") var deadline: Span?
    @Argument(help: "Id or external id.") var service: String
    @Argument(parsing: .postTerminator, help: "The command and its words, behind --.") var command: [String] = []

    func validate() throws {
        if command.isEmpty {
            throw ValidationError("say what to run behind --: innctl service exec SERVICE -- ls")
        }
        if tty, isatty(STDIN_FILENO) != 1 { throw ValidationError("-t needs a terminal on standard input") }
    }

    func run() async throws {
        let place = try await ServiceGuest(service)
        var words = ["--driver", "docker", place.node, place.guest, "--"] + command
        if interactive { words.insert("-i", at: 0) }
        if tty { words.insert("-t", at: 0) }
        if let deadline { words.insert(contentsOf: ["--deadline", "\(deadline.seconds)s"], at: 0) }
        try await ExecCommand.parse(words).run()
    }
}

/// Where a service's container is, and its name there.
private struct ServiceGuest {
    let node: String
    let guest: String

    init(_ name: String) async throws(Failure) {
        let path = "/api/v1/services/\(PercentEncoding.encode(name))"
        let service: Service = try await Controller.connect().get(path)
        guard let node = service.node else {
            throw Failure(.notFound, "service \(name) is on no node now: it is \(service.state)")
        }
        (self.node, guest) = (node, service.id)
    }
}
