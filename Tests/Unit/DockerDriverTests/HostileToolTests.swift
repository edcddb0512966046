import DockerDriver
import DriverKit
import Glibc
import TestSupport
import Testing
import WireProtocol

/// Tools that do anything but their work, in the place of compose.
@Suite struct HostileToolTests {
    /// `deed` runs for `config`, `pull` and `up`; the version is always told.
    static func tool(_ folder: ScratchFolder, _ deed: String, version: String = "2.99.0") throws -> [String] {
        let script = """
            #!/bin/sh
            [ "$1" = version ] && { echo \(version); exit 0; }
            while [ "$1" != config ] && [ "$1" != pull ] && [ "$1" != up ] && [ "$1" != down ]; do shift; done
            \(deed)

            """
        let path = try folder.write(Array(script.utf8), to: "tool")
        chmod(path, 0o700)
        return [path]
    }

    static let config = #"[ "$1" = config ] && { echo '{"services":{"web":{"image":"x"}}}'; exit 0; }"#

    @Test(arguments: [
        ("exit 1", DriverErrorCode.failed), ("kill -9 $$", .failed), ("printf '\\377\\376\\000'; exit 0", .failed),
        ("echo '{'; exit 0", .failed), ("yes 0123456789 | head -c 30000000; exit 0", .failed),
        ("echo 'Cannot connect to the Docker daemon' >&2; exit 1", .unavailable),
        ("echo 'no space left on device' >&2; exit 17", .outOfSpace), ("exec >&-; exit 0", .failed),
        ("echo 'yaml: line 1: did not find' >&2; exit 15", .invalidArgument),
    ])
    func `a tool that fails to read a file changes nothing`(deed: String, code: DriverErrorCode) async throws {
        let folder = try ScratchFolder("tool")
        let bench = try await ComposeBench(tool: Self.tool(folder, deed))
        let error = await bench.failure("web", ComposeBench.sleeper())
        #expect(error?.code == code, "\(String(describing: error))")
        #expect(error?.changed == false)
        #expect(bench.file("web") == nil)
    }

    @Test(arguments: ["sleep 1000", "trap '' TERM; while true; do sleep 1; done", "sleep 1000 & exec sleep 1000"])
    func `a tool that hangs is stopped with all that it started`(deed: String) async throws {
        let folder = try ScratchFolder("tool")
        let mark = folder.file("started")
        let bench = try await ComposeBench(tool: Self.tool(folder, "\(Self.config)\ntouch \(mark); \(deed)"))
        let running = Task { try await bench.deploy("web", ComposeBench.sleeper()) }
        #expect(await eventually { access(mark, F_OK) == 0 })
        running.cancel()
        let error = await #expect(throws: DriverError.self) { try await running.value }
        #expect(error?.code == .unknownOutcome)
        #expect(error?.changed == true)
    }

    @Test func `a grandchild that keeps the pipe does not hold the deployment`() async throws {
        let folder = try ScratchFolder("tool")
        let pid = folder.file("pid")
        let bench = try await ComposeBench(
            tool: Self.tool(folder, "\(Self.config)\n[ \"$1\" = up ] && { sleep 600 & echo $! > \(pid); }; exit 0"))
        let start = ContinuousClock.now
        _ = try await bench.deploy("web", ComposeBench.sleeper())
        #expect(.now - start < .seconds(60))
        if let number = Int32(String(decoding: try folder.read("pid"), as: UTF8.self).prefix { $0.isNumber }) {
            kill(number, SIGKILL)
        }
    }

    @Test func `a flood of progress stays bounded, and secrets in it stay out`() async throws {
        let folder = try ScratchFolder("tool")
        let deed = "\(Self.config)\n[ \"$1\" = up ] && { yes \"using $KEY\" | head -c 3000000 >&2; exit 9; }; exit 0"
        let bench = try await ComposeBench(tool: Self.tool(folder, deed))
        let record = Record()
        let error = await #expect(throws: DriverError.self) {
            try await bench.perform(
                "deploy", ["project": "web", "content": .string(ComposeBench.sleeper()), "pull": false],
                secrets: ["env": ["KEY": "hunter2"]], record)
        }
        #expect(error?.description.contains("hunter2") == false)
        #expect(error?.description.utf8.count ?? 0 < 10_000)
        #expect(!record.progress.contains { $0.contains("hunter2") })
        #expect(record.progress.contains { $0.contains("***") })
    }

    @Test func `without any tool the answer says so`() async throws {
        let bench = try await ComposeBench(tool: ["/nonexistent/compose"])
        let error = await bench.failure("web", ComposeBench.sleeper())
        #expect(error?.code == .unavailable)
        #expect(error?.retryable == false)
    }

    @Test func `whoever dies between the files leaves a whole one`() async throws {
        let bench = try await ComposeBench()
        let project = Workbench.name("cut")
        _ = try await bench.deploy(project, ComposeBench.sleeper())
        // What a dead agent leaves: a candidate and half a file that never got its name.
        for name in [".compose.next.yaml", "compose.yaml.new", ".compose.next.yaml.new"] {
            try bench.folder.write(Array("serv".utf8), to: "compose/\(project)/\(name)")
        }
        #expect(try await !bench.deploy(project, ComposeBench.sleeper()).changed)
        try await bench.down(project)
    }
}
