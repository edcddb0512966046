import DockerDriver
import DriverKit
import Logging
import Recipes
import Synchronization
import TestSupport
import WireProtocol

/// The driver on the shared engine, the busybox image imported, and what an operation sends on its way.
struct Workbench: Sendable {
    static let image = "innkeeper-test/busybox:1"

    let engine: DockerEngine
    let driver: DockerDriver

    init(engine: DockerEngine? = nil, recipes: RecipeShelf = RecipeShelf()) async throws {
        if let engine { self.engine = engine } else { self.engine = try await DockerEngine.shared() }
        driver = DockerDriver(socket: self.engine.socket, rights: Self.rights(self.engine), recipes: recipes)
        try await perform("image.import", ["reference": .string(Self.image), "path": .string(self.engine.busybox)])
    }

    /// What the owner of a node for tests allows.
    static func rights(_ engine: DockerEngine, allows: Set<ComposeRisk> = []) -> NodeRights {
        let images = String(engine.busybox[..<(engine.busybox.lastIndex(of: "/") ?? engine.busybox.startIndex)])
        return NodeRights(allows: allows, mountRoots: ["/tmp"], imageRoots: ["/tmp", images])
    }

    static func driver(_ socket: String) -> DockerDriver { DockerDriver(socket: socket) }

    /// A container name that no other test uses.
    static func name(_ purpose: String) -> String {
        "\(purpose)-" + String(UInt32.random(in: 0...UInt32.max), radix: 36)
    }

    @discardableResult
    func perform(
        _ operation: String, _ arguments: JSONObject, secrets: JSONObject = [:], _ record: Record = Record()
    ) async throws(DriverError) -> ActionOutcome {
        let call = ActionCall(
            action: operation, resource: "docker/\(arguments["name"]?.asString ?? "test")", arguments: arguments,
            secrets: secrets)
        return try await driver.perform(call, record.context)
    }

    /// A container that sleeps, with what else it is to be.
    @discardableResult
    func ensure(_ name: String, _ more: JSONObject = [:], secrets: JSONObject = [:]) async throws(DriverError)
        -> ActionOutcome
    {
        var arguments: JSONObject = [
            "name": .string(name), "image": .string(Self.image), "command": ["/bin/sleep", "100000"],
        ]
        for member in more.members { arguments[member.key] = member.value }
        return try await perform("container.ensure", arguments, secrets: secrets)
    }

    func remove(_ name: String) async throws(DriverError) {
        try await perform("container.remove", ["name": .string(name), "force": true, "unmanaged": true])
    }

    func state(_ name: String) async throws(DriverError) -> JSONObject {
        try await perform("container.inspect", ["name": .string(name)]).observed
    }
}

/// What an operation has sent so far.
final class Record: Sendable {
    private let state = Mutex(State())

    private struct State {
        var stdout: [UInt8] = []
        var stderr: [UInt8] = []
        var progress: [String] = []
        var isBlocked = false
    }

    var stdout: String { String(decoding: state.withLock { $0.stdout }, as: UTF8.self) }
    var stderr: String { String(decoding: state.withLock { $0.stderr }, as: UTF8.self) }
    var count: Int { state.withLock { $0.stdout.count + $0.stderr.count } }
    var progress: [String] { state.withLock { $0.progress } }

    /// While blocked, output waits like one that has no credit.
    func block(_ isBlocked: Bool) { state.withLock { $0.isBlocked = isBlocked } }

    var bytes: [UInt8] { state.withLock { $0.stdout } }

    var context: ActionContext { context(input: .empty) }

    func context(input: AsyncStream<[UInt8]>) -> ActionContext {
        ActionContext(
            commandID: "cmd_test", logger: Logger(label: "test"), input: input,
            output: { stream, bytes throws(CancellationError) in
                while self.state.withLock({ $0.isBlocked }) {
                    do { try await Task.sleep(for: .milliseconds(5)) } catch { throw CancellationError() }
                }
                self.state.withLock { if stream == .stdout { $0.stdout += bytes } else { $0.stderr += bytes } }
            },
            progress: { message, _ in self.state.withLock { $0.progress.append(message) } })
    }
}
