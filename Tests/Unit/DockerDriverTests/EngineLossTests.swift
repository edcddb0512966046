import DockerDriver
import DriverKit
import Glibc
import Synchronization
import TestSupport
import Testing
import WireProtocol

/// An engine of its own, because these hurt it.
@Suite(.serialized) struct EngineLossTests {
    @Test func `an engine that hangs is timed out, and one that dies is followed again`() async throws {
        let engine = try await DockerEngine.start()
        let bench = try await Workbench(engine: engine)
        let name = Workbench.name("loss")
        try await bench.ensure(name, ["restart": "always"])
        let seen = Mutex<[DriverEvent]>([])
        let following = Task { await bench.driver.events { event in seen.withLock { $0.append(event) } } }
        #expect(await eventually { seen.withLock { $0.contains { $0.kind == "engine.connected" } } })

        try await engine.freeze()
        let call = ActionCall(
            action: "container.start", resource: "docker/\(name)", arguments: ["name": .string(name)])
        let cancelled = Task { try await bench.driver.perform(call, Record().context) }
        try await Task.sleep(for: .milliseconds(100))
        cancelled.cancel()
        let broken = await #expect(throws: DriverError.self) { try await cancelled.value }
        #expect(broken?.code == .cancelled)
        let fresh = try #require(await DockerDriver.detect(socket: engine.socket))
        let hung = await #expect(throws: DriverError.self) { try await fresh.perform(call, Record().context) }
        #expect(hung?.code == .timedOut)
        #expect(hung?.retryable == true)
        engine.thaw()
        #expect(try await !fresh.perform(call, Record().context).changed)

        try await engine.crash()
        // It first puts an end to the containers that it left running, each with its grace.
        #expect(
            await eventually(within: .seconds(120)) {
                seen.withLock { $0.filter { $0.kind == "engine.connected" }.count >= 2 }
            })
        #expect(seen.withLock { $0.contains { $0.kind == "engine.lost" } })
        #expect(await eventually { (try? await bench.state(name))?["state"] == "running" })
        following.cancel()
        await following.value
        await engine.stop()
        let gone = await #expect(throws: DriverError.self) { try await fresh.perform(call, Record().context) }
        #expect(gone?.code == .unavailable)
        #expect(gone?.retryable == true)
        #expect(access(engine.folder, F_OK) != 0)
    }
}
