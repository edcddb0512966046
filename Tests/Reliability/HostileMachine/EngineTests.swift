import Glibc
import Processes
import SiteSupport
import Store
import TestSupport
import Testing
import WireProtocol

extension HostileMachine {
    /// A real Docker engine that stops answering, or dies in the middle of an answer.
    @Suite struct EngineTests {
        @Test func `a stopped engine holds its own orders and nothing else; what it makes too late is removed`()
            async throws
        {
            let yard = try await Yard()
            try await yard.ensure("kept")
            #expect(await eventually { await yard.isSampled("kept") })
            let before = Census(of: yard.node.pid)
            let result = try await yard.vigil("kept").during {
                async let result = yard.order("late", id: "cmd-late", deadline: .seconds(4))
                try await yard.freezeAtCreation()
                return try await result
            }
            #expect(result.status == .failed && result.error?.code == .timedOut, "\(result)")
            #expect(result.error?.retryable == true)
            #expect(result.error?.message.contains("the deadline of 4000 ms passed") == true, "\(result)")
            yard.engine.thaw()
            #expect(try await eventually { try await yard.hasMade("late") })
            try await yard.expectRemoved("late")
            // A newer order for the same name is another matter.
            try await yard.ensure("late")
            #expect(try await yard.containers().sorted() == ["kept", "late"])
            await yard.node.expectNoMore(than: before, connections: 4)
            await yard.close()
        }

        @Test func `what an engine makes for a command of an earlier life of the agent is removed`() async throws {
            let yard = try await Yard()
            try await yard.ensure("kept")
            let lost = Task { try await yard.order("late", id: "cmd-late", deadline: .seconds(600)) }
            try await yard.freezeAtCreation()
            await yard.killAgent()
            yard.engine.thaw()
            #expect(try await eventually { try await yard.hasMade("late") })
            try await yard.engineMakes("foreign", for: "cmd-of-another-agent")
            let again = try await Node(yard.centre, configuration: yard.configuration, after: yard.node)
            let result = try await lost.value
            #expect(result.status == .interrupted && result.error?.code == .interrupted, "\(result)")
            try await yard.expectRemoved("late")
            #expect(try await yard.containers().sorted() == ["foreign", "kept"])
            await again.stop()
            await yard.close()
        }

        @Test func `an engine that dies in the middle of an answer is said to be gone, and used again when it is back`()
            async throws
        {
            let yard = try await Yard()
            try await yard.ensure("stubborn", command: ["/bin/sh", "-c", "trap '' TERM; while :; do sleep 1; done"])
            let vigil = Vigil(node: yard.node, errand: Yard.look)
            let result = try await vigil.during {
                async let stop = yard.node.order(
                    "docker", "container.stop", on: "docker/stubborn", ["name": "stubborn", "grace_s": 600])
                try await Task.sleep(for: .seconds(1))
                try await yard.engine.crash()
                return try await stop
            }
            #expect(result.status == .failed && result.error?.code == .unavailable, "\(result)")
            #expect(result.error?.retryable == true)
            // It first ends what it had left running.
            #expect(
                try await eventually(within: .seconds(90)) {
                    try await yard.node.order(
                        "docker", "container.stop", on: "docker/stubborn", ["name": "stubborn", "grace_s": 0]
                    ).status == .succeeded
                })
            await yard.close()
        }
    }
}

/// An agent with a real engine of its own.
struct Yard: Sendable {
    static let image = "hostile/busybox:1"

    let engine: DockerEngine
    let centre: Centre
    let node: Node
    let gate: Gate
    private let socket: GatedSocket

    init() async throws {
        engine = try await DockerEngine.start()
        centre = try await Centre()
        gate = try Gate(folder: ScratchFolder("gate"))
        socket = try GatedSocket(at: gate.folder.file("docker.sock"), to: engine.socket, gate: gate)
        node = try await Node(centre, configuration: Self.configuration(socket.path, engine))
        let result = try await node.order(
            "docker", "image.import", on: "docker/image/\(Self.image)",
            ["reference": .string(Self.image), "path": .string(engine.busybox)])
        guard result.status == .succeeded else { throw SetupFailure("\(result)") }
    }

    var configuration: JSONObject { Self.configuration(socket.path, engine) }

    private static func configuration(_ socket: String, _ engine: DockerEngine) -> JSONObject {
        let images = String(engine.busybox[..<(engine.busybox.lastIndex(of: "/") ?? engine.busybox.startIndex)])
        return [
            "drivers": ["host", "docker"], "docker_socket": .string(socket), "docker_image_roots": [.string(images)],
        ]
    }

    func close() async {
        await node.stop()
        await centre.stop()
        socket.stop()
        await engine.stop()
    }

    func killAgent() async {
        node.program.signal(SIGKILL)
        await node.program.stop()
    }

    static func look(_ node: Node) async throws -> CommandResult {
        try await node.order("host", "system.info", on: "host", [:])
    }

    /// Watches that a container's samples go on.
    func vigil(_ name: String) -> Vigil {
        Vigil(node: node, errand: Self.look, series: "container/\(name).memory.used")
    }

    func isSampled(_ name: String) async -> Bool {
        (try? await centre.store.latestSamples(node: node.id, prefix: "container/\(name)"))?.flatMap {
            $0.values["container/\(name).memory.used"]
        } != nil
    }

    func order(
        _ name: String, id: String? = nil, command: [String] = ["/bin/sleep", "100000"], deadline: Duration
    ) async throws -> CommandResult {
        try await node.order(
            "docker", "container.ensure", on: "docker/\(name)",
            ["name": .string(name), "image": .string(Self.image), "command": .array(command.map { .string($0) })],
            id: id, deadline: deadline)
    }

    func ensure(_ name: String, command: [String] = ["/bin/sleep", "100000"]) async throws {
        let result = try await order(name, command: command, deadline: .seconds(120))
        guard result.status == .succeeded else { throw SetupFailure("\(result)") }
    }

    /// Does what a slow engine does with the order of a command that nobody waits for any more.
    func engineMakes(_ name: String, for command: String) async throws {
        _ = try await docker(
            "create", "--name", name, "--label", "innkeeper.service=\(name)", "--label", "innkeeper.command=\(command)",
            Self.image, "/bin/sleep", "1")
    }

    func expectRemoved(_ name: String) async throws {
        #expect(try await eventually { try await !containers().contains(name) }, "\(name) is left")
    }

    /// Stops the engine when it has been sent a creation and has not begun with it.
    func freezeAtCreation() async throws {
        let point = Gate.Point(engine: .docker, action: "create", moment: .before)
        try gate.close(point)
        defer { gate.open(point) }
        try await gate.reached(point)
        try await engine.freeze()
    }

    /// Whether the engine has ever created a container of that name.
    func hasMade(_ name: String) async throws -> Bool {
        try await docker(
            "events", "--since", "0", "--until", "1s", "--filter", "event=create", "--format",
            "{{.Actor.Attributes.name}}"
        )
        .split(separator: "\n").contains(Substring(name))
    }

    func containers() async throws -> [String] {
        try await docker("ps", "--all", "--format", "{{.Names}}").split(separator: "\n").map(String.init)
    }

    private func docker(_ words: String...) async throws -> String {
        let outcome = try await Child.run(
            ProcessRequest("docker", ["--host", "unix://\(engine.socket)"] + words, deadline: .seconds(120)))
        guard outcome.succeeded else { throw SetupFailure("docker \(words): \(outcome.errorText)") }
        return outcome.outputText
    }
}
