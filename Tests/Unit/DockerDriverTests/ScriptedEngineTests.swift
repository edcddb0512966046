import DockerDriver
import DriverKit
import Logging
import TestSupport
import Testing
import WireProtocol

/// Answers that a healthy engine of the installed version does not give.
@Suite struct ScriptedEngineTests {
    static let version = #"{"Version":"28.2.2","ApiVersion":"1.50","MinAPIVersion":"1.24"}"#

    struct Peer {
        let folder: ScratchFolder
        let server: ScriptedServer
        let driver: DockerDriver
    }

    func engine(
        version: String = Self.version, _ answer: @escaping @Sendable (String) -> [ScriptedServer.Step]
    ) throws -> Peer {
        let folder = try ScratchFolder("engine")
        let server = try ScriptedServer(unixSocket: folder.file("docker.sock")) { request in
            request.line == "GET /version HTTP/1.1" ? [.respond(200, version)] : answer(request.line)
        }
        return Peer(folder: folder, server: server, driver: DockerDriver(socket: folder.file("docker.sock")))
    }

    func failure(_ peer: Peer, _ operation: String, _ arguments: JSONObject) async -> DriverError? {
        let call = ActionCall(action: operation, resource: "docker/x", arguments: arguments)
        return await #expect(throws: DriverError.self) { try await peer.driver.perform(call, Record().context) }
    }

    @Test(arguments: [
        ("1.41", "1.12", "v1.41"), ("1.47", "1.24", "v1.47"), ("1.50", "1.24", "v1.47"), ("1.52", "1.44", "v1.47"),
    ])
    func `the newest version that both speak is used`(newest: String, oldest: String, path: String) async throws {
        let text = #"{"Version":"1","ApiVersion":"\#(newest)","MinAPIVersion":"\#(oldest)"}"#
        let peer = try engine(version: text) { _ in [.respond(200, "[]")] }
        _ = try await peer.driver.inventory()
        #expect(peer.server.requests.last?.line.contains("/\(path)/containers/json") == true)
    }

    @Test(arguments: [("1.39", "1.12"), ("1.60", "1.50")])
    func `an engine that is too old or too new is said to be so`(newest: String, oldest: String) async throws {
        let text = #"{"Version":"1","ApiVersion":"\#(newest)","MinAPIVersion":"\#(oldest)"}"#
        let peer = try engine(version: text) { _ in [] }
        #expect(await failure(peer, "container.inspect", ["name": "web"])?.code == .unsupported)
    }

    @Test(arguments: [
        (400, "bad parameter", DriverErrorCode.invalidArgument, false),
        (401, "who are you", .permissionDenied, false),
        (409, "removal of container x is already in progress", .busy, true),
        (500, "write /var/lib/docker/tmp: no space left on device", .outOfSpace, true),
        (500, "driver failed programming external connectivity: port is already allocated", .conflict, false),
        (500, "toomanyrequests: slow down", .busy, true),
        (500, "Container abc is not paused", .conflict, false),
        (500, "connection error: transport is closing", .unavailable, true),
        (500, "something nobody knows", .failed, false),
        (503, "not ready", .unavailable, true),
    ])
    func `an engine's refusal gets its name`(
        status: Int, message: String, code: DriverErrorCode, retryable: Bool
    ) async throws {
        let peer = try engine { _ in [.respond(status, #"{"message":"\#(message)"}"#)] }
        let error = await failure(peer, "container.inspect", ["name": "web"])
        #expect(error?.code == code)
        #expect(error?.retryable == retryable)
        #expect(error?.cause == message)
        #expect(error?.action == "container.inspect")
    }

    @Test(arguments: ["[", "", "7", #"{"Id":"only"}"#])
    func `an answer that is none is a failure`(text: String) async throws {
        let peer = try engine { _ in [.respond(200, text)] }
        #expect(await failure(peer, "container.inspect", ["name": "web"])?.code == .failed)
    }

    @Test(arguments: [
        (#"{"errorDetail":{"message":"manifest unknown"},"error":"manifest unknown"}"#, DriverErrorCode.notFound),
        (#"{"error":"pull access denied for x"}"#, .permissionDenied),
        (#"{"error":"toomanyrequests: You have reached your pull rate limit"}"#, .busy),
    ])
    func `a pull that fails within its stream fails`(line: String, code: DriverErrorCode) async throws {
        let peer = try engine { request in
            guard request.hasPrefix("POST") else { return [.respond(404, #"{"message":"No such image"}"#)] }
            let body = #"{"status":"Pulling from x","id":"1"}"# + "\r\n" + line + "\r\n"
            let (first, second) = (body.prefix(40), body.dropFirst(40))
            return [
                .text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
                .text(String(first.utf8.count, radix: 16) + "\r\n" + first + "\r\n"),
                .text(String(second.utf8.count, radix: 16) + "\r\n" + second + "\r\n0\r\n\r\n"),
            ]
        }
        let error = await failure(peer, "image.pull", ["reference": "registry.example/x:1"])
        #expect(error?.code == code)
        let asked = peer.server.requests.first { $0.line.hasPrefix("POST") }?.line ?? ""
        #expect(asked.contains("fromImage=registry.example%2Fx&tag=1"))
    }

    @Test func `a login for the registry goes into a header and nowhere else`() async throws {
        let peer = try engine { request in
            request.hasPrefix("POST") ? [.respond(500, #"{"message":"unauthorized"}"#)] : [.respond(404, "{}")]
        }
        let call = ActionCall(
            action: "image.pull", resource: "docker/image/x", arguments: ["reference": "x"],
            secrets: ["registry_username": "me", "registry_password": "p4ss"])
        let error = await #expect(throws: DriverError.self) { try await peer.driver.perform(call, Record().context) }
        #expect(error?.code == .permissionDenied)
        let sent = peer.server.requests.first { $0.line.hasPrefix("POST") }?.head ?? ""
        #expect(sent.contains("X-Registry-Auth: eyJ1c2VybmFtZSI6Im1lIiwicGFzc3dvcmQiOiJwNHNzIn0="))
        #expect(error.map { "\($0)".contains("p4ss") } == false)
    }

    /// Each with one thing wrong.
    static let misfits: [(String, JSONObject)] = [
        ("container.inspect", ["name": "../images/json"]), ("container.inspect", ["name": "-x"]),
        ("container.inspect", [:]), ("container.inspect", ["name": "web", "nmae": "x"]),
        ("image.remove", ["reference": "a/../b"]), ("container.exec", ["name": "web", "command": []]),
        ("container.exec", ["name": "web", "command": "ls"]),
        ("container.ensure", ["name": "web", "image": "a", "memory_bytes": 5]),
        ("container.ensure", ["name": "web", "image": "a", "restart": "sometimes"]),
        ("container.ensure", ["name": "web", "image": "a", "env": ["A=B": "c"]]),
        ("container.ensure", ["name": "web", "image": "a", "ports": [["container": 80]]]),
        (
            "container.ensure",
            ["name": "web", "image": "a", "network": "bridge", "ports": [["container": 80, "host_ip": "x"]]]
        ),
        ("image.import", ["reference": "a", "path": "/tmp/../etc/passwd"]),
    ]

    @Test(arguments: misfits)
    func `arguments that do not fit never reach the engine`(operation: String, arguments: JSONObject) async throws {
        let peer = try engine { _ in [.respond(500, "{}")] }
        #expect(await failure(peer, operation, arguments)?.code == .invalidArgument)
        #expect(peer.server.requests.isEmpty)
    }

    @Test func `an operation that is not there is unsupported`() async throws {
        let peer = try engine { _ in [] }
        #expect(await failure(peer, "container.explode", [:])?.code == .unsupported)
        #expect(Set(peer.driver.actions.map(\.name)).count == peer.driver.actions.count)
    }
}
