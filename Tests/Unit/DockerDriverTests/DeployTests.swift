import DockerDriver
import DriverKit
import Glibc
import TestSupport
import Testing
import WireProtocol

/// Compose projects on a real engine with the real tool.
@Suite struct DeployTests {
    @Test func `a project comes up, stays as it is, changes, and goes`() async throws {
        let bench = try await ComposeBench()
        let project = Workbench.name("site")
        let first = try await bench.deploy(
            project, ComposeBench.sleeper("environment: {A: \"${WORD}\"}"), ["env": ["WORD": "one"]])
        #expect(first.changed)
        #expect(first.observed["services"]?.asArray?.first?["state"] == "running")
        let again = try await bench.deploy(
            project, ComposeBench.sleeper("environment: {A: \"${WORD}\"}"), ["env": ["WORD": "one"]])
        #expect(!again.changed)
        let id = first.observed["services"]?.asArray?.first?["id"]?.asString ?? ""
        #expect(try await bench.bench.engine.inspect(id)["Config"]?["Env"]?.asArray?.contains("A=one") == true)
        let other = try await bench.deploy(project, ComposeBench.sleeper("environment: {A: two}"))
        #expect(other.changed)
        let backup = try #require(other.observed["backup"]?.asString)
        #expect(access(backup, F_OK) == 0)
        let listed = try await bench.perform("list", [:]).observed["projects"]?.asArray ?? []
        #expect(listed.contains { $0["project"] == .string(project) && $0["managed"] == true && $0["running"] == 1 })
        let seen = try await bench.perform("ps", ["project": .string(project)]).observed["services"]?.asArray
        #expect(seen?.map { $0["service_name"] } == ["web"])
        #expect(try await bench.perform("down", ["project": .string(project), "grace_s": 0]).changed)
        #expect(try await !bench.perform("down", ["project": .string(project), "grace_s": 0]).changed)
        try await bench.down(project)
        #expect(!bench.exists("compose/\(project)"))
    }

    @Test func `a file that fails to come up gives way to the one before`() async throws {
        let bench = try await ComposeBench()
        let project = Workbench.name("back")
        _ = try await bench.deploy(project, ComposeBench.sleeper())
        let before = bench.file(project)
        let broken = ComposeBench.sleeper().replacing("[/bin/sleep, \"100000\"]", "[/bin/sh, -c, exit 3]")
        let error = await bench.failure(project, broken)
        #expect(error?.code == .failed)
        #expect(error?.message.contains("ended with code 3") == true)
        #expect(error?.changed == false)
        #expect(bench.file(project) == before)
        let seen = try await bench.perform("ps", ["project": .string(project)]).observed["services"]?.asArray
        #expect(seen?.first?["state"] == "running")
        try await bench.down(project)
    }

    @Test func `a first deployment that fails leaves no containers and no file`() async throws {
        let bench = try await ComposeBench()
        let project = Workbench.name("never")
        let error = await bench.failure(
            project, ComposeBench.sleeper().replacing(Workbench.image, "innkeeper-test/none:1"))
        #expect(error != nil)
        #expect(bench.file(project) == nil)
        #expect(try await bench.perform("ps", ["project": .string(project)]).observed["services"] == [])
    }

    @Test func `work that is done and ends well is no failure`() async throws {
        let bench = try await ComposeBench()
        let project = Workbench.name("job")
        let job = ComposeBench.sleeper().replacing("[/bin/sleep, \"100000\"]", "[/bin/true]")
        let outcome = try await bench.deploy(project, job)
        #expect(outcome.observed["services"]?.asArray?.first?["exit_code"] == 0)
        try await bench.down(project)
    }

    @Test func `secrets reach the containers and nothing that is told`() async throws {
        let bench = try await ComposeBench()
        let project = Workbench.name("secret")
        let record = Record()
        let outcome = try await bench.perform(
            "deploy",
            [
                "project": .string(project), "pull": false,
                "content": .string(ComposeBench.sleeper("environment:\n  KEY: ${KEY}")),
            ], secrets: ["env": ["KEY": "s3cr3t-$HOME-'x'"]], record)
        let id = outcome.observed["services"]?.asArray?.first?["id"]?.asString ?? ""
        #expect(
            try await bench.bench.engine.inspect(id)["Config"]?["Env"]?.asArray?.contains("KEY=s3cr3t-$HOME-'x'")
                == true)
        #expect(!JSONValue.object(outcome.observed).text.contains("s3cr3t"))
        #expect(!record.progress.joined().contains("s3cr3t"))
        #expect(bench.file(project)?.contains("s3cr3t") == false)
        var status = stat()
        #expect(stat(bench.folder.file("compose/\(project)/variables.json"), &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600)
        // Later orders know them still.
        #expect(try await bench.perform("down", ["project": .string(project), "grace_s": 0]).changed)
        try await bench.down(project)
    }

    @Test func `logs of all services come as whole lines with their container`() async throws {
        let bench = try await ComposeBench()
        let project = Workbench.name("logs")
        let content = """
            services:
              one: &s {image: "\(Workbench.image)", network_mode: none, command: [/bin/sh, -c, "echo a; echo b >&2; exec sleep 1000"], stop_grace_period: 0s}
              two: *s

            """
        _ = try await bench.deploy(project, content)
        #expect(
            await eventually {
                let record = Record()
                _ = try? await bench.perform("logs", ["project": .string(project)], record)
                return record.stdout.split(separator: "\n").count == 2
                    && record.stderr.split(separator: "\n").count == 2
                    && record.stdout.contains("1 | a\n") && record.stderr.contains("1 | b\n")
            })
        let one = Record()
        try await bench.perform("logs", ["project": .string(project), "service": "one", "tail": 1], one)
        #expect(!one.stdout.contains("two") && !one.stderr.contains("two"))
        let following = Task {
            try await bench.perform("logs", ["project": .string(project), "follow": true])
        }
        try await bench.down(project)
        #expect(try await following.value.observed["bytes"]?.asInteger ?? 0 > 0)
        let gone = await #expect(throws: DriverError.self) {
            try await bench.perform("logs", ["project": .string(project)])
        }
        #expect(gone?.code == .notFound)
    }

    @Test func `a project whose file is gone is taken down by its labels`() async throws {
        let bench = try await ComposeBench()
        let project = Workbench.name("orphan")
        _ = try await bench.deploy(
            project, ComposeBench.sleeper("volumes: [\"kept:/data\"]") + "volumes: {kept: {}}\n")
        unlink(bench.folder.file("compose/\(project)/compose.yaml"))
        #expect(try await bench.perform("down", ["project": .string(project), "grace_s": 0]).changed)
        #expect(try await bench.perform("ps", ["project": .string(project)]).observed["services"] == [])
        let volume = "\(project)_kept"
        #expect(
            try await bench.bench.perform("volume.inspect", ["name": .string(volume)]).observed["project"]
                == .string(project))
        #expect(try await bench.perform("down", ["project": .string(project), "volumes": true]).changed)
        let error = await #expect(throws: DriverError.self) {
            try await bench.bench.perform("volume.inspect", ["name": .string(volume)])
        }
        #expect(error?.code == .notFound)
    }
}

extension String {
    func replacing(_ part: String, _ other: String) -> String {
        var text = self
        while let range = text.firstRange(of: part) { text.replaceSubrange(range, with: other) }
        return text
    }
}
