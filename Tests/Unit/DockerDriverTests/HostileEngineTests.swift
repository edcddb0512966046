import DockerDriver
import DriverKit
import Synchronization
import TestSupport
import Testing
import WireProtocol

/// Engines that do anything but answer, and what the driver calls that. Afterwards a good answer is taken as ever.
@Suite struct HostileEngineTests {
    struct Deed: Sendable, CustomTestStringConvertible {
        var name: String
        var steps: [ScriptedServer.Step]
        var code: DriverErrorCode
        var retryable: Bool
        var testDescription: String { name }
    }

    private static let head = "HTTP/1.1 200 OK\r\n"

    static let deeds = [
        Deed(name: "closes at once", steps: [.close], code: .unavailable, retryable: true),
        Deed(name: "resets", steps: [.reset], code: .unavailable, retryable: true),
        Deed(
            name: "dies in its head", steps: [.text("HTTP/1.1 200 O"), .close], code: .unavailable, retryable: true),
        Deed(
            name: "dies in its body", steps: [.text(head + "Content-Length: 1000\r\n\r\n{\"Id\""), .close],
            code: .unavailable, retryable: true),
        Deed(
            name: "dies in a chunk", steps: [.text(head + "Transfer-Encoding: chunked\r\n\r\n3e8\r\n{\"Id\""), .close],
            code: .unavailable, retryable: true),
        Deed(
            name: "speaks no HTTP", steps: [.bytes([0xFF, 0xFE, 0, 13, 10, 13, 10]), .close], code: .failed,
            retryable: false),
        Deed(
            name: "answers in invalid UTF-8",
            steps: [.text(head + "Content-Length: 4\r\n\r\n"), .bytes([0x22, 0xFF, 0xFE, 0x22])], code: .failed,
            retryable: false),
        Deed(name: "answers 200 without a body", steps: [.respond(200, "")], code: .failed, retryable: false),
        Deed(
            name: "nests too deeply", steps: [.respond(200, String(repeating: "[", count: 5000))], code: .failed,
            retryable: false),
        Deed(
            name: "floods its head", steps: [.text("HTTP/1.1 200 OK\r\nX: "), .flood(64 << 20), .close], code: .failed,
            retryable: false),
        Deed(
            name: "floods its body", steps: [.text(head + "\r\n"), .flood(256 << 20), .close], code: .failed,
            retryable: false),
        Deed(name: "fails without words", steps: [.respond(500, "")], code: .failed, retryable: false),
    ]

    @Test(arguments: deeds)
    func `an engine is named for what it did, and used again when it is well`(deed: Deed) async throws {
        let isWell = Mutex(false)
        let folder = try ScratchFolder("engine")
        let server = try ScriptedServer(unixSocket: folder.file("docker.sock")) { request in
            if request.line.contains("/version") { return [.respond(200, ScriptedEngineTests.version)] }
            return isWell.withLock { $0 } ? [.respond(200, "[]")] : deed.steps
        }
        let driver = DockerDriver(socket: folder.file("docker.sock"))
        let call = ActionCall(action: "container.list", resource: "docker/x")
        let error = await #expect(throws: DriverError.self) { try await driver.perform(call, Record().context) }
        #expect(error?.code == deed.code, "\(String(describing: error))")
        #expect(error?.retryable == deed.retryable)
        isWell.withLock { $0 = true }
        #expect(try await driver.perform(call, Record().context).observed["containers"]?.asArray == [])
        server.stop()
    }

    @Test func `an engine that hangs keeps neither samples nor a cancelled call waiting`() async throws {
        let folder = try ScratchFolder("engine")
        let server = try ScriptedServer(unixSocket: folder.file("docker.sock")) { request in
            request.line.contains("/version") ? [.respond(200, ScriptedEngineTests.version)] : [.hold]
        }
        let driver = DockerDriver(socket: folder.file("docker.sock"))
        let start = ContinuousClock.now
        var batch = SampleBatch()
        await driver.sample(into: &batch)
        #expect(batch.values.isEmpty)
        let call = ActionCall(action: "container.list", resource: "docker/x")
        let task = Task { try await driver.perform(call, Record().context) }
        #expect(await eventually { server.requests.filter { $0.line.contains("all=1") }.count == 1 })
        task.cancel()
        let error = await #expect(throws: DriverError.self) { try await task.value }
        #expect(error?.code == .cancelled)
        // The engine's own limit is 30 seconds.
        #expect(.now - start < .seconds(15))
        server.stop()
    }
}
