import APIModels
import Glibc
import FaultProxy
import Processes
package import TestSupport
import Testing
package import WireProtocol

/// An installation whose agent has engines, all real and all of its own.
package final class Site: Installed {
    @TaskLocal package static var running: Site?

    /// The site of the test that asks, its agent connected. Where the environment names faults (`FaultPlan.variable`), the
    /// link has just been cut and the agent's next connections will meet them.
    package static var settled: Site {
        get async throws {
            let site = try await undisturbed
            guard let weather = Weather.asked else { return site }
            // A new process, so that its waits begin with the shortest.
            try await site.agent.restart()
            try await site.settle()
            await site.link.follow(weather)
            await site.link.cut()
            return site
        }
    }

    /// The same without faults, for tests of what only an undisturbed link shows.
    package static var undisturbed: Site {
        get async throws {
            let site = try #require(running)
            await site.link.follow(.none)
            try await site.settle()
            return site
        }
    }

    package let installation: Installation
    package let zfs: ZFSFuse
    package let docker: DockerEngine
    package let gate: Gate
    package let engines: Engines
    package let agent: Daemon
    private let socket: GatedSocket

    /// - Parameters:
    ///   - configuration: of the controller, over what tests usually have.
    ///   - prepare: what is to be done before the daemons start.
    package static func start(
        configuration: JSONObject = [:], prepare: (Site) async throws -> Void = { _ in }
    ) async throws -> Site {
        guard ZFSFuse.isAvailable else {
            throw SetupFailure("these tests need root, /dev/fuse and the packages docker.io and zfs-fuse")
        }
        let zfs = try await ZFSFuse.start(bytes: 1 << 30)
        do {
            let docker = try await DockerEngine.start(launcher: zfs.launcher)
            do {
                let site = try await Site(zfs, docker, configuration)
                try await prepare(site)
                try await site.open()
                return site
            } catch {
                await docker.stop()
                throw error
            }
        } catch {
            await zfs.stop()
            throw error
        }
    }

    private init(_ zfs: ZFSFuse, _ docker: DockerEngine, _ configuration: JSONObject) async throws {
        (self.zfs, self.docker) = (zfs, docker)
        installation = try await Installation("site", configuration: configuration)
        let folder = installation.folder
        gate = try Gate(folder: ScratchFolder("gate"))
        engines = Engines(docker: docker.socket, zfs: zfs, tool: try await Self.gateTool(zfs, folder, gate))
        socket = try GatedSocket(at: folder.file("docker.sock"), to: docker.socket, gate: gate)
        try folder.write(TarFile.busybox().bytes, to: "image.tar")
        agent = try installation.agent(
            "agent", launcher: zfs.launcher,
            configuration: ["docker_socket": .string(socket.path), "docker_image_roots": [.string(folder.path)]])
    }

    /// init has been run; this is serve, token, enrol and run.
    private func open() async throws {
        try await installation.open()
        try await enrol("agent", label: "role=services")
        try agent.start()
        _ = try await node { $0.state == "connected" }
    }

    /// Starts the agent anew, with more in its configuration than usual.
    package func restartAgent(_ more: JSONObject) async throws {
        var configuration = more
        configuration["docker_socket"] = .string(socket.path)
        configuration["docker_image_roots"] = [.string(folder.path)]
        try folder.write(JSONValue.object(configuration).encoded, to: "agent.json")
        await agent.stop()
        try agent.start()
        try await settle()
    }

    /// Ends all that runs.
    package func stop() async {
        await installation.stop()
        socket.stop()
        await docker.stop()
        await zfs.stop()
    }

    /// Puts a gate in the place of the daemon's `zfs`, in the daemon's namespace only. Returns the path of the real one.
    private static func gateTool(_ zfs: ZFSFuse, _ folder: ScratchFolder, _ gate: Gate) async throws -> String {
        let real = try folder.write([], to: "zfs.real")
        let script = try folder.write(Array(gate.script(real: real).utf8), to: "zfs")
        chmod(script, 0o755)
        for (source, target) in [("/usr/sbin/zfs", real), (script, "/usr/sbin/zfs")] {
            let outcome = try await zfs.command("/bin/mount", "--bind", source, target)
            guard outcome.succeeded else { throw SetupFailure("mount \(target): \(outcome.errorText)") }
        }
        return real
    }
}
