import DockerDriver
import DriverKit
import Glibc
import Synchronization
import TestSupport
import Testing
import WireProtocol

@Suite struct ObservationTests {
    @Test func `the engine's facts are there`() async throws {
        let bench = try await Workbench()
        let driver = try #require(await DockerDriver.detect(socket: bench.engine.socket))
        #expect(driver.version.contains("."))
        let facts = await driver.facts()
        #expect((facts["memory_bytes"]?.asInteger ?? 0) > 0)
        #expect((facts["cpus"]?.asInteger ?? 0) > 0)
        #expect(await DockerDriver.detect(socket: "/nonexistent.sock") == nil)
    }

    @Test func `networks are in the inventory as long as they are there`() async throws {
        let bench = try await Workbench()
        let name = Workbench.name("net")
        func told() async throws -> [String] { try await bench.driver.inventory().map(\.resource) }
        #expect(try await told().contains("docker/network/none"))
        try await bench.perform("network.ensure", ["name": .string(name)])
        #expect(try await told().contains("docker/network/\(name)"))
        try await bench.perform("network.remove", ["name": .string(name), "unmanaged": true])
        #expect(try await !told().contains("docker/network/\(name)"))
    }

    @Test func `a running container is in the inventory, the samples and the counters`() async throws {
        let bench = try await Workbench()
        let name = Workbench.name("busy")
        try await bench.ensure(
            name,
            ["command": ["/bin/sh", "-c", "while true; do true; done"], "cpu_millis": 300, "memory_bytes": 67_108_864])
        let items = try await bench.driver.inventory()
        #expect(items.contains { $0.resource == "docker/\(name)" && $0.state["service"] == .string(name) })
        #expect(await eventually { await bench.counter("cpu_ms", of: name)?.value ?? 0 > 50 })
        let first = try #require(await bench.counter("cpu_ms", of: name))
        #expect(await eventually { await bench.counter("cpu_ms", of: name)?.value ?? 0 > first.value })
        #expect(await bench.counter("network_rx_bytes", of: name)?.value == 0)
        var batch = SampleBatch()
        await bench.driver.sample(into: &batch)
        let values = Dictionary(uniqueKeysWithValues: zip(batch.names, batch.values))
        #expect((values["container/\(name).memory.used"] ?? nil).map { $0 > 10_000 && $0 < 67_108_864 } == true)
        #expect((values["container/\(name).cpu.seconds"] ?? nil).map { $0 > 0.05 } == true)
        let stats = try await bench.perform("container.stats", ["name": .string(name)]).observed
        #expect((stats["memory_used_bytes"]?.asInteger ?? 0) > 10_000)
        #expect((stats["cpu_ms"]?.asInteger ?? 0) >= first.value)
        try await bench.perform("container.restart", ["name": .string(name), "grace_s": 0])
        let second = try #require(await bench.counter("cpu_ms", of: name))
        #expect(second.epoch != first.epoch)
        try await bench.perform("container.stop", ["name": .string(name), "grace_s": 0])
        #expect(await bench.counter("cpu_ms", of: name) == nil)
        try await bench.remove(name)
    }

    @Test func `events of a life are told once and in order, without command lines`() async throws {
        let bench = try await Workbench()
        let name = Workbench.name("events")
        let seen = Mutex<[DriverEvent]>([])
        let following = Task { await bench.driver.events { event in seen.withLock { $0.append(event) } } }
        defer { following.cancel() }
        #expect(await eventually { seen.withLock { $0.contains { $0.kind == "engine.connected" } } })
        try await bench.ensure(name)
        try await bench.perform("container.exec", ["name": .string(name), "command": ["/bin/echo", "topsecret"]])
        try await bench.perform("container.stop", ["name": .string(name), "grace_s": 0])
        try await bench.remove(name)
        #expect(
            await eventually {
                seen.withLock { $0.contains { $0.kind == "container.removed" && $0.resource == "docker/\(name)" } }
            })
        let mine = seen.withLock { $0.filter { $0.resource == "docker/\(name)" } }
        #expect(mine.map(\.kind) == ["container.created", "container.started", "container.died", "container.removed"])
        #expect(mine.first { $0.kind == "container.died" }?.data["exit_code"] == 137)
        #expect(mine.allSatisfy { $0.data["service"] == .string(name) })
        #expect(!seen.withLock { "\($0)" }.contains("topsecret"))
    }
}

extension Workbench {
    func counter(_ meter: String, of name: String) async -> UsageCounter? {
        await driver.usage().first { $0.meter == meter && $0.subject == "docker/\(name)" }
    }
}
