import DockerDriver
import DriverKit
import Glibc
import TestSupport
import WireProtocol

/// Compose on the shared engine, with a folder of its own for projects.
struct ComposeBench: Sendable {
    let bench: Workbench
    let driver: DockerDriver
    let folder: ScratchFolder
    var root: String { folder.file("compose") }

    init(allows: Set<ComposeRisk> = [], tool: [String]? = nil) async throws {
        bench = try await Workbench()
        folder = try ScratchFolder("compose")
        driver = DockerDriver(
            socket: bench.engine.socket,
            compose: ComposeSettings(root: folder.file("compose"), allows: allows, tool: tool))
    }

    @discardableResult
    func perform(
        _ operation: String, _ arguments: JSONObject, secrets: JSONObject = [:], _ record: Record = Record()
    ) async throws(DriverError) -> ActionOutcome {
        let call = ActionCall(
            action: "compose.\(operation)", resource: "docker/compose/\(arguments["project"]?.asString ?? "x")",
            arguments: arguments, secrets: secrets)
        return try await driver.perform(call, record.context)
    }

    /// What `deploy` of a file says when it fails.
    func failure(
        _ project: String, _ content: String, operation: String = "deploy", _ more: JSONObject = [:]
    ) async -> DriverError? {
        var arguments: JSONObject = ["project": .string(project), "content": .string(content), "pull": false]
        if operation != "deploy" { arguments["pull"] = nil }
        for member in more.members { arguments[member.key] = member.value }
        do {
            try await perform(operation, arguments)
            return nil
        } catch { return error }
    }

    func deploy(_ project: String, _ content: String, _ more: JSONObject = [:]) async throws -> ActionOutcome {
        var arguments: JSONObject = ["project": .string(project), "content": .string(content), "pull": false]
        for member in more.members { arguments[member.key] = member.value }
        return try await perform("deploy", arguments)
    }

    func down(_ project: String) async throws {
        try await perform("down", ["project": .string(project), "volumes": true, "grace_s": 0, "remove_files": true])
    }

    func file(_ project: String) -> String? {
        (try? folder.read("compose/\(project)/compose.yaml")).map { String(decoding: $0, as: UTF8.self) }
    }

    func exists(_ name: String) -> Bool { access(folder.file(name), F_OK) == 0 }

    /// A project with one sleeping service.
    static func sleeper(_ more: String = "", name: String = "web") -> String {
        """
        services:
          \(name):
            image: \(Workbench.image)
            command: [/bin/sleep, "100000"]
            network_mode: none
            stop_grace_period: 0s
        \(more.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n"))

        """
    }
}

/// A port of this machine that nobody has, or a socket that has one.
final class TakenPort: Sendable {
    let port: Int64
    private let descriptor: Int32

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { place in
                bind(descriptor, place, length) == 0 && listen(descriptor, 1) == 0
                    && getsockname(descriptor, place, &length) == 0
            }
        }
        guard result else { throw SetupFailure("no port") }
        port = Int64(UInt16(bigEndian: address.sin_port))
    }

    func free() { close(descriptor) }
}
