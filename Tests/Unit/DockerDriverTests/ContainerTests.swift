import DockerDriver
import DriverKit
import TestSupport
import Testing
import WireProtocol

/// Against a real engine with real containers.
@Suite struct ContainerTests {
    @Test func `a container is created and started, and found so the second time`() async throws {
        let bench = try await Workbench()
        let name = Workbench.name("ensure")
        let arguments: JSONObject = [
            "memory_bytes": 67_108_864, "cpu_millis": 500, "pids": 50, "env": ["COLOUR": "green"], "restart": "no",
            "labels": ["tier": "gold"],
        ]
        let first = try await bench.ensure(name, arguments)
        #expect(first.changed)
        #expect(first.observed["state"] == "running")
        #expect(first.observed["memory_bytes"] == 67_108_864)
        #expect(first.observed["cpu_millis"] == 500)
        #expect(first.observed["pids"] == 50)
        #expect(first.observed["service"] == .string(name))
        #expect(first.observed["restart"] == "no")
        #expect((first.observed["started_at"]?.asInteger ?? 0) > 1_700_000_000_000)
        let second = try await bench.ensure(name, arguments)
        #expect(!second.changed)
        #expect(second.observed["id"] == first.observed["id"])
        try await bench.remove(name)
    }

    @Test func `log size is limited and no mount source is made up`() async throws {
        let bench = try await Workbench()
        let name = Workbench.name("defaults")
        try await bench.ensure(name)
        let raw = try await bench.engine.inspect(name)
        #expect(raw["HostConfig"]?["LogConfig"]?["Config"] == ["max-file": "3", "max-size": "10m"])
        #expect(raw["HostConfig"]?["Privileged"] == false)
        #expect(raw["HostConfig"]?["NetworkMode"] == "none")
        let error = await #expect(throws: DriverError.self) {
            try await bench.ensure(
                Workbench.name("mount"), ["mounts": [["source": "/tmp/innkeeper-not-there", "target": "/data"]]])
        }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains("/tmp/innkeeper-not-there") == true)
        try await bench.remove(name)
    }

    @Test func `a mounted folder is the container's to write`() async throws {
        let bench = try await Workbench()
        let folder = try ScratchFolder("mount")
        let name = Workbench.name("mounted")
        let mounts: JSONValue = [["source": .string(folder.path), "target": "/data"]]
        try await bench.ensure(
            name, ["command": ["/bin/sh", "-c", "echo kept > /data/file; exec sleep 100000"], "mounts": mounts])
        #expect(await eventually { (try? folder.read("file")) == Array("kept\n".utf8) })
        try await bench.remove(name)
        #expect(try folder.read("file") == Array("kept\n".utf8))
    }

    @Test(arguments: ["/", "/etc", "/etc/ssh", "/var/run/docker.sock", "/proc", "/var", "/root"])
    func `what owns the node is not mounted`(source: String) async throws {
        let bench = try await Workbench()
        let error = await #expect(throws: DriverError.self) {
            try await bench.ensure("never", ["mounts": [["source": .string(source), "target": "/data"]]])
        }
        #expect([.permissionDenied, .invalidArgument].contains(error?.code))
    }

    @Test func `limits change in place, other differences are a conflict`() async throws {
        let bench = try await Workbench()
        let name = Workbench.name("change")
        let first = try await bench.ensure(name, ["memory_bytes": 33_554_432])
        let grown = try await bench.ensure(name, ["memory_bytes": 134_217_728, "restart": "on-failure:3"])
        #expect(grown.changed)
        #expect(grown.observed["id"] == first.observed["id"])
        #expect(grown.observed["memory_bytes"] == 134_217_728)
        #expect(grown.observed["restart"] == "on-failure:3")
        let error = await #expect(throws: DriverError.self) {
            try await bench.ensure(name, ["command": ["/bin/sleep", "5"], "env": ["A": "b"]])
        }
        #expect(error?.code == .conflict)
        #expect(error?.message.contains("command, env") == true)
        #expect(error?.retryable == false)
        let replaced = try await bench.ensure(name, ["env": ["A": "b"], "replace": true])
        #expect(replaced.changed)
        #expect(replaced.observed["id"] != first.observed["id"])
        try await bench.remove(name)
    }

    @Test func `a container of another owner is neither adopted nor removed`() async throws {
        let bench = try await Workbench()
        let name = Workbench.name("foreign")
        try await bench.ensure(name, ["labels": ["innkeeper.service": "svc_other"]])
        let error = await #expect(throws: DriverError.self) { try await bench.ensure(name, ["replace": true]) }
        #expect(error?.code == .foreign)
        #expect(error?.message.contains("svc_other") == true)
        let removal = await #expect(throws: DriverError.self) {
            try await bench.perform("container.remove", ["name": .string(name), "service": "svc_mine", "force": true])
        }
        #expect(removal?.code == .foreign)
        try await bench.remove(name)

        try await bench.engine.createUnmanaged(name, image: Workbench.image)
        for operation in ["container.remove", "container.start", "container.stop"] {
            let error = await #expect(throws: DriverError.self) {
                try await bench.perform(operation, ["name": .string(name)])
            }
            #expect(error?.code == .foreign)
        }
        try await bench.remove(name)
    }

    @Test func `start, stop and removal say whether they changed anything`() async throws {
        let bench = try await Workbench()
        let name = Workbench.name("moves")
        let named: JSONObject = ["name": .string(name)]
        let stop: JSONObject = ["name": .string(name), "grace_s": 0]
        #expect(try await bench.ensure(name, ["running": false]).observed["state"] == "created")
        #expect(try await !bench.ensure(name, ["running": false]).changed)
        #expect(try await bench.perform("container.start", named).changed)
        #expect(try await !bench.perform("container.start", named).changed)
        let before = try await bench.state(name)
        let restarted = try await bench.perform("container.restart", stop)
        #expect(restarted.observed["state"] == "running")
        #expect(restarted.observed["started_at"] != before["started_at"])
        let busy = await #expect(throws: DriverError.self) { try await bench.perform("container.remove", named) }
        #expect(busy?.code == .conflict)
        let stopped = try await bench.perform("container.stop", stop)
        #expect(stopped.changed)
        #expect(stopped.observed["state"] == "exited")
        #expect(stopped.observed["exit_code"] == 137)
        #expect(try await !bench.perform("container.stop", stop).changed)
        #expect(try await bench.perform("container.remove", named).changed)
        let gone = try await bench.perform("container.remove", named)
        #expect(!gone.changed)
        #expect(gone.observed["state"] == "absent")
        for operation in ["container.start", "container.stop", "container.inspect", "container.logs"] {
            let error = await #expect(throws: DriverError.self) { try await bench.perform(operation, named) }
            #expect(error?.code == .notFound)
        }
    }

    @Test func `two at once make one container`() async throws {
        let bench = try await Workbench()
        let name = Workbench.name("race")
        async let one = bench.ensure(name)
        async let other = bench.ensure(name)
        let outcomes = try await [one, other]
        #expect(outcomes[0].observed["id"] == outcomes[1].observed["id"])
        #expect(outcomes.allSatisfy { $0.observed["state"] == "running" })
        async let first: Void = bench.remove(name)
        async let second: Void = bench.remove(name)
        _ = try await (first, second)
        await #expect(throws: DriverError.self) { try await bench.state(name) }
    }

    @Test func `a paused container is thawed to start and to stop`() async throws {
        let bench = try await Workbench()
        let name = Workbench.name("paused")
        try await bench.ensure(name)
        try await bench.engine.post("/containers/\(name)/pause")
        #expect(try await bench.state(name)["state"] == "paused")
        #expect(try await bench.ensure(name).observed["state"] == "running")
        try await bench.engine.post("/containers/\(name)/pause")
        let stopped = try await bench.perform("container.stop", ["name": .string(name), "grace_s": 1])
        #expect(stopped.observed["state"] == "exited")
        try await bench.remove(name)
    }

    @Test(arguments: [
        (["/bin/nothing"], DriverErrorCode.failed, "not found"), (["/etc/passwd"], .failed, "may not be executed"),
        (["/bin/sh", "-c", "exit 7"], .failed, "code 7"),
    ])
    func `a container that cannot start says why`(command: [String], code: DriverErrorCode, why: String) async throws {
        let bench = try await Workbench()
        let name = Workbench.name("broken")
        let error = await #expect(throws: DriverError.self) {
            try await bench.ensure(name, ["command": .array(command.map { .string($0) }), "restart": "no"])
            // A command may end just after the start was seen.
            for _ in 0..<100 { try await bench.perform("container.start", ["name": .string(name)]) }
        }
        #expect(error.map { "\($0)".contains(why) } == true, "\(error.map { "\($0)" } ?? "none")")
        #expect(error?.code == code || error?.code == .invalidArgument)
        #expect(error?.retryable == false)
        try await bench.remove(name)
    }

    @Test func `a container that was made before the failure is told of`() async throws {
        let bench = try await Workbench()
        let name = Workbench.name("stillborn")
        let error = await #expect(throws: DriverError.self) {
            try await bench.ensure(name, ["command": ["/bin/nothing"], "restart": "no"])
        }
        #expect(error?.changed == true)
        try await bench.remove(name)
        let refusal = await #expect(throws: DriverError.self) {
            try await bench.ensure(name, ["image": "Not An Image"])
        }
        #expect(refusal?.changed == false)
    }

    @Test func `memory and CPU are updated up and down`() async throws {
        let bench = try await Workbench()
        let name = Workbench.name("update")
        try await bench.ensure(name, ["memory_bytes": 67_108_864, "cpu_millis": 250])
        for (memory, cpu) in [(Int64(268_435_456), Int64(1500)), (33_554_432, 100)] {
            let arguments: JSONObject = [
                "name": .string(name), "memory_bytes": .integer(memory), "cpu_millis": .integer(cpu),
            ]
            let outcome = try await bench.perform("container.update", arguments)
            #expect(outcome.changed)
            #expect(outcome.observed["memory_bytes"] == .integer(memory))
            #expect(outcome.observed["cpu_millis"] == .integer(cpu))
            #expect(try await !bench.perform("container.update", arguments).changed)
            // What the kernel enforces, not only what the engine says.
            let seen = Record()
            try await bench.perform(
                "container.exec",
                ["name": .string(name), "command": ["/bin/cat", "/sys/fs/cgroup/memory/memory.limit_in_bytes"]], seen)
            if seen.stderr.isEmpty { #expect(seen.stdout == "\(memory)\n") }
        }
        try await bench.remove(name)
    }

    @Test func `a missing image is final`() async throws {
        let bench = try await Workbench()
        let error = await #expect(throws: DriverError.self) {
            try await bench.ensure(Workbench.name("imageless"), ["image": "innkeeper-test/missing:1"])
        }
        #expect(error?.code == .notFound)
        #expect(error?.retryable == false)
    }

    @Test func `secret variables reach the container and nothing else`() async throws {
        let bench = try await Workbench()
        let name = Workbench.name("secret")
        let outcome = try await bench.ensure(name, secrets: ["env": ["PASSWORD": "hunter2"]])
        let seen = Record()
        try await bench.perform("container.exec", ["name": .string(name), "command": ["/bin/env"]], seen)
        #expect(seen.stdout.contains("PASSWORD=hunter2"))
        #expect(!JSONValue.object(outcome.observed).text.contains("hunter2"))
        let error = await #expect(throws: DriverError.self) {
            try await bench.ensure(name, secrets: ["env": ["PASSWORD": "hunter3"]])
        }
        #expect(error.map { "\($0)".contains("hunter") } == false)
        try await bench.remove(name)
    }
}
