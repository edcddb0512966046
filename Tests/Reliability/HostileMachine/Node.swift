import AgentCommands
import Glibc
import Model
import Sessions
import SiteSupport
import Store
import TestSupport
import Testing
import WireProtocol

/// The agent as a process, connected to a centre. In its own view of the machine other programs may stand in the places
/// of `zfs` and `zpool`, and its data folder may be a disk of its own.
final class Node: Sendable {
    let id: String
    let centre: Centre
    let folder: ScratchFolder
    /// The command line that starts it.
    let words: [String]
    let program: BackgroundProgram

    let disk: SmallDisk?

    /// - Parameters:
    ///   - tools: shell scripts for `zfs` and `zpool`; nil leaves the real ones, in the launcher's view of the machine.
    ///   - room: bytes that the data folder's own disk has.
    ///   - after: an agent that has ended, whose folder and disk this one goes on with.
    init(
        _ centre: Centre, tools: (zfs: String, zpool: String)? = nil, launcher: [String] = [], room: Int? = nil,
        configuration: JSONObject = [:], after earlier: Node? = nil
    ) async throws {
        self.centre = centre
        folder = try earlier?.folder ?? ScratchFolder("node")
        mkdir(folder.file("data"), 0o700)
        if let earlier { id = earlier.id } else { id = try await centre.enrol(folder.file("data")) }
        try folder.write(JSONValue.object(configuration).encoded, to: "agent.json")
        for (name, script) in [("zfs", tools?.zfs), ("zpool", tools?.zpool)] {
            guard let script else { continue }
            chmod(try folder.write(Array(script.utf8), to: name), 0o755)
        }
        let agent = try Programs.path("innkeeper-agent")
        if let earlier {
            disk = earlier.disk
        } else if let room {
            disk = try await SmallDisk(at: folder.file("data"), bytes: room)
        } else {
            disk = nil
        }
        let view = tools == nil ? [] : ["/usr/bin/unshare", "--mount", "--propagation", "private"]
        words =
            (disk?.launcher ?? launcher) + view + [
                "/bin/sh", "-c", Self.script, "node", folder.path, agent,
            ]
        program = try BackgroundProgram(
            words[0], Array(words.dropFirst()), log: folder.file("log-\(centre.number())"))
        try LastWill.includes(program.pid)
        let started = Timestamp.now()
        let (store, id) = (centre.store, id)
        guard
            await eventually(
                within: .seconds(60),
                { (try? await store.node(id))?.flatMap { $0.lastSeen.map { $0 >= started } ?? false } ?? false })
        else { throw SetupFailure("the agent does not connect: \(program.output.suffix(2000))") }
    }

    private static let script = """
        cd "$1"
        for tool in zfs zpool; do [ -e $tool ] && mount --bind "$1/$tool" /usr/sbin/$tool; done
        exec "$2" run --data "$1/data" --config "$1/agent.json"
        """

    var pid: Int32 { program.pid }

    func stop() async { await program.stop() }

    /// A command's result, as the agent tells it.
    func order(
        _ driver: String, _ operation: String, on resource: String, _ arguments: JSONObject, id: String? = nil,
        deadline: Duration = .seconds(60), observer: CommandObserver = CommandObserver()
    ) async throws -> CommandResult {
        let number = centre.number()
        return try await centre.fleet.perform(
            AgentCommand(
                id: id ?? "cmd-\(number)", resource: resource, generation: Int64(number), driver: driver,
                action: operation, arguments: arguments, deadline: deadline, patience: .seconds(60), observer: observer),
            on: self.id)
    }

    /// Waits until the agent holds no more of its machine than before.
    func expectNoMore(
        than before: Census, connections: Int = 0, _ what: String = "", at place: SourceLocation = #_sourceLocation
    ) async {
        let pid = pid
        let isSo = await eventually { Census(of: pid).isNoMore(than: before, connections: connections) }
        #expect(isSo, "\(what) \(Census(of: pid)) after \(before)", sourceLocation: place)
    }
}
