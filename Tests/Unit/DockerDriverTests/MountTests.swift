import DriverKit
import Glibc
import Logging
import TestSupport
import Testing
import WireProtocol

@testable import DockerDriver

/// What of the node a container gets to see, and what it takes to get more.
@Suite struct MountTests {
    /// The driver on the shared engine with the rights of a test.
    private static func driver(_ bench: Workbench, _ rights: NodeRights) -> DockerDriver {
        DockerDriver(socket: bench.engine.socket, rights: rights)
    }

    private static func failure(_ driver: DockerDriver, _ more: JSONObject) async -> DriverError? {
        var arguments: JSONObject = [
            "name": .string(Workbench.name("never")), "image": .string(Workbench.image), "running": false,
            "command": ["/bin/true"],
        ]
        for member in more.members { arguments[member.key] = member.value }
        let call = ActionCall(action: "container.ensure", resource: "docker/never", arguments: arguments)
        do throws(DriverError) {
            _ = try await driver.perform(call, Record().context)
            return nil
        } catch { return error }
    }

    private static func mounts(_ sources: String..., readOnly: Bool = false) -> JSONObject {
        let list = sources.enumerated().map { number, source -> JSONValue in
            ["source": .string(source), "target": .string("/m\(number)"), "read_only": .bool(readOnly)]
        }
        return ["mounts": .array(list)]
    }

    @Test(arguments: ["/home", "/opt", "/var/spool", "/srv", "/tmp", "/mnt", "/etc", "/", "/var/lib/innkeeper/agent"])
    func `without a word of the node's owner nothing of the node is mounted`(source: String) async throws {
        let bench = try await Workbench()
        let error = await Self.failure(Self.driver(bench, NodeRights()), Self.mounts(source))
        #expect(error?.code == .permissionDenied, "\(String(describing: error))")
    }

    @Test func `the answer does not tell what is there`() async throws {
        let bench = try await Workbench()
        let driver = Self.driver(bench, NodeRights())
        let there = await Self.failure(driver, Self.mounts("/etc/hostname"))
        let missing = await Self.failure(driver, Self.mounts("/etc/hostname-of-nobody"))
        #expect(there?.code == missing?.code && there?.message == missing?.message)
        func image(_ path: String) async -> DriverError? {
            let arguments: JSONObject = ["reference": "never:1", "path": .string(path)]
            do throws(DriverError) {
                _ = try await driver.perform(
                    ActionCall(action: "image.import", resource: "docker/image", arguments: arguments),
                    Record().context)
                return nil
            } catch { return error }
        }
        let (file, nothing) = (await image("/etc/hostname"), await image("/etc/hostname-of-nobody"))
        #expect(file?.code == .permissionDenied && file?.message == nothing?.message)
    }

    @Test func `an image file is not reached through a link`() async throws {
        let bench = try await Workbench()
        let (images, other) = (try ScratchFolder("images"), try ScratchFolder("other"))
        let file = try other.write(TarFile.busybox().bytes, to: "backup.tar")
        #expect(symlink(file, images.file("link.tar")) == 0)
        let driver = Self.driver(bench, NodeRights(imageRoots: [images.path]))
        let arguments: JSONObject = ["reference": "never:1", "path": .string(images.file("link.tar"))]
        let error = await #expect(throws: DriverError.self) {
            try await driver.perform(
                ActionCall(action: "image.import", resource: "docker/image", arguments: arguments),
                Record().context)
        }
        #expect(error?.code == .permissionDenied)
    }

    @Test func `the node's network needs a word, by whichever name it is asked for`() async throws {
        let bench = try await Workbench()
        let id = try #require(try await bench.engine.call("GET", "/networks/host")["Id"]?.asString)
        for name in ["host", id, String(id.prefix(12))] {
            let error = await Self.failure(bench.driver, ["network": .string(name)])
            #expect(error?.code == .permissionDenied && error?.cause?.contains("host_network") == true)
        }
        let name = Workbench.name("plugged")
        try await bench.ensure(name)
        await #expect(throws: DriverError.self) {
            try await bench.perform("network.connect", ["name": .string(name), "network": .string(id)])
        }
        try await bench.remove(name)
        let rights = Workbench.rights(bench.engine, allows: [.hostNetwork])
        #expect(await Self.failure(Self.driver(bench, rights), ["network": "host"]) == nil)
    }

    @Test func `what the agent keeps is never shown, whatever is allowed`() async throws {
        let bench = try await Workbench()
        let folder = try ScratchFolder("node")
        for name in ["agent", "data", "linked"] { #expect(mkdir(folder.file(name), 0o700) == 0) }
        try folder.write([], to: "agent/agent.key")
        #expect(symlink(folder.file("agent"), folder.file("link")) == 0)
        #expect(symlink("/etc", folder.file("etc")) == 0)
        let rights = NodeRights(
            allows: Set(ComposeRisk.allCases), mountRoots: ["/tmp"],
            closed: ClosedPlaces(own: [folder.file("agent")]))
        let driver = Self.driver(bench, rights)
        let sources = [
            folder.file("agent"), folder.file("agent/agent.key"), folder.file("link"), folder.file("link/agent.key"),
            folder.path, folder.file("etc"), "/", "/proc", "/dev", "/var", "/run", bench.engine.socket, "/var/lib",
            "/etc/innkeeper", "/var/lib/docker",
        ]
        for source in sources {
            let error = await Self.failure(driver, Self.mounts(source))
            #expect(error?.code == .permissionDenied, "\(source): \(String(describing: error))")
        }
        #expect(await Self.failure(driver, Self.mounts(folder.file("data"))) == nil)
        // The word for mounts opens what is neither the agent's nor a secret.
        #expect(await Self.failure(driver, Self.mounts("/usr/share")) == nil)
    }

    @Test func `a mount that another container could lead elsewhere is refused`() async throws {
        let bench = try await Workbench()
        let folder = try ScratchFolder("around")
        #expect(mkdir(folder.file("inner"), 0o755) == 0)
        let inside = await Self.failure(bench.driver, Self.mounts(folder.path, folder.file("inner")))
        #expect(inside?.code == .permissionDenied && inside?.cause?.contains("can write to") == true)
        let name = Workbench.name("outer")
        var writing = Self.mounts(folder.path)
        writing["running"] = false
        try await bench.ensure(name, writing)
        #expect(await Self.failure(bench.driver, Self.mounts(folder.file("inner")))?.code == .permissionDenied)
        #expect(await Self.failure(bench.driver, Self.mounts(folder.path, readOnly: true)) == nil)
        try await bench.remove(name)
        #expect(await Self.failure(bench.driver, Self.mounts(folder.file("inner"))) == nil)
    }

    @Test func `a socket and a device are no folders`() async throws {
        let bench = try await Workbench()
        let folder = try ScratchFolder("odd")
        #expect(mkfifo(folder.file("pipe"), 0o600) == 0)
        #expect(await Self.failure(bench.driver, Self.mounts(folder.file("pipe")))?.code == .permissionDenied)
    }
}
