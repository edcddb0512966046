import DriverKit
import Synchronization
import TestSupport
import Testing
import WireProtocol

@Suite struct VolumeTests {
    @Test func `a volume is made once, belongs to somebody, and goes once`() async throws {
        let bench = try await Workbench()
        let name = Workbench.name("vol")
        #expect(try await bench.perform("volume.ensure", ["name": .string(name), "service": "svc_1"]).changed)
        #expect(try await !bench.perform("volume.ensure", ["name": .string(name), "service": "svc_1"]).changed)
        let stolen = await #expect(throws: DriverError.self) {
            try await bench.perform("volume.ensure", ["name": .string(name), "service": "svc_2"])
        }
        #expect(stolen?.code == .foreign)
        #expect(try await bench.perform("volume.inspect", ["name": .string(name)]).observed["service"] == "svc_1")
        #expect(try await bench.perform("volume.remove", ["name": .string(name)]).changed)
        #expect(try await !bench.perform("volume.remove", ["name": .string(name)]).changed)
        let gone = await #expect(throws: DriverError.self) {
            try await bench.perform("volume.inspect", ["name": .string(name)])
        }
        #expect(gone?.code == .notFound)
    }

    @Test func `a volume that a container uses stays, removed or pruned`() async throws {
        let bench = try await Workbench()
        let (name, container) = (Workbench.name("used"), Workbench.name("user"))
        try await bench.engine.post("/volumes/create", ["Name": .string(name)])
        try await bench.engine.post(
            "/containers/create?name=\(container)",
            [
                "Image": .string(Workbench.image), "Cmd": ["/bin/true"],
                "HostConfig": ["NetworkMode": "none", "Binds": [.string("\(name):/data")]],
            ])
        let foreign = await #expect(throws: DriverError.self) {
            try await bench.perform("volume.remove", ["name": .string(name)])
        }
        #expect(foreign?.code == .foreign)
        let used = await #expect(throws: DriverError.self) {
            try await bench.perform("volume.remove", ["name": .string(name), "unmanaged": true])
        }
        #expect(used?.code == .busy)
        #expect(used?.retryable == false)
        let pruned = try await bench.perform("volume.prune", ["all": true, "dry_run": true])
        #expect(pruned.observed["found"]?.asArray?.contains(.string(name)) == false)
        #expect(!pruned.changed)
        try await bench.remove(container)
        let found = try await bench.perform("volume.prune", ["all": true, "dry_run": true])
        #expect(found.observed["found"]?.asArray?.contains(.string(name)) == true)
        try await bench.perform("volume.remove", ["name": .string(name), "unmanaged": true])
    }

    @Test func `the engine's events come as lines, commands' secrets stay out`() async throws {
        let bench = try await Workbench()
        let name = Workbench.name("events")
        try await bench.ensure(name)
        try await bench.perform("container.exec", ["name": .string(name), "command": ["/bin/echo", "hush"]])
        try await bench.remove(name)
        let record = Record()
        let outcome = try await bench.perform("event.list", ["types": ["container"]], record)
        let lines = record.stdout.split(separator: "\n").compactMap { try? JSONParser.parse(String($0)) }
        #expect(outcome.observed["count"] == .integer(Int64(lines.count)))
        let actions = lines.filter { $0["name"] == .string(name) }.compactMap { $0["action"]?.asString }
        #expect(actions.starts(with: ["create", "start", "exec_create", "exec_start"]), "\(actions)")
        #expect(actions.last == "destroy")
        #expect(!record.stdout.contains("hush"))
    }

    @Test func `events are followed from now on`() async throws {
        let bench = try await Workbench()
        let name = Workbench.name("follow")
        let record = Record()
        let following = Task { try await bench.perform("event.list", ["follow": true, "types": ["volume"]], record) }
        #expect(
            await eventually {
                _ = try? await bench.perform("volume.ensure", ["name": .string(name)])
                _ = try? await bench.perform("volume.remove", ["name": .string(name)])
                return record.stdout.contains("\"destroy\"")
            })
        following.cancel()
        let error = await #expect(throws: DriverError.self) { try await following.value }
        #expect(error?.code == .cancelled)
    }

    @Test func `measuring again and again ends with the container`() async throws {
        let bench = try await Workbench()
        let name = Workbench.name("meter")
        try await bench.ensure(
            name, ["command": ["/bin/sh", "-c", "while true; do :; done"], "memory_bytes": 67_108_864])
        let record = Record()
        let following = Task {
            try await bench.perform(
                "container.stats", ["name": .string(name), "follow": true, "interval_ms": 100], record)
        }
        #expect(await eventually { record.stdout.split(separator: "\n").count >= 3 })
        let line = try JSONParser.parse(String(record.stdout.split(separator: "\n")[1]))
        #expect((line["cpu_percent"]?.asNumber ?? 0) > 1)
        #expect(line["memory_limit_bytes"] == 67_108_864)
        try await bench.perform("container.stop", ["name": .string(name), "grace_s": 0])
        #expect(try await following.value.observed["cpu_ms"]?.asInteger ?? 0 > 0)
        try await bench.remove(name)
    }
}
