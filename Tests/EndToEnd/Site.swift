import APIModels
import Glibc
import HTTPFetch
import Processes
import Synchronization
import TestSupport
import Testing
import WireProtocol

/// One installation: engines, controller and agent, all real and all of its own.
final class Site: Sendable {
    @TaskLocal static var running: Site?

    /// The site of the test that asks, its agent connected.
    static var settled: Site {
        get async throws {
            let site = try #require(running)
            try await site.settle()
            return site
        }
    }

    let folder: ScratchFolder
    let zfs: ZFSFuse
    let docker: DockerEngine
    let gate: Gate
    let engines: Engines
    let controller: Daemon
    let agent: Daemon
    let front: Front
    /// HOST:PORT of the API and of the agents' listener.
    let addresses: (api: String, agents: String)
    private let socket: GatedSocket
    private let guests = Mutex<[Daemon]>([])

    static func start() async throws -> Site {
        guard ZFSFuse.isAvailable else {
            throw SetupFailure("these tests need root, /dev/fuse and the packages docker.io and zfs-fuse")
        }
        let zfs = try await ZFSFuse.start(bytes: 1 << 30)
        do {
            let docker = try await DockerEngine.start(launcher: zfs.launcher)
            do {
                let site = try await Site(zfs, docker)
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

    private init(_ zfs: ZFSFuse, _ docker: DockerEngine) async throws {
        (self.zfs, self.docker) = (zfs, docker)
        folder = try ScratchFolder("site")
        gate = Gate(folder: try ScratchFolder("gate"))
        engines = Engines(docker: docker.socket, zfs: zfs, tool: try await Self.gateTool(zfs, folder, gate))
        socket = try GatedSocket(at: folder.file("docker.sock"), to: docker.socket, gate: gate)
        try folder.write(TarFile.busybox().bytes, to: "image.tar")
        addresses = ("127.0.0.1:\(try Self.freePort())", "127.0.0.1:\(try Self.freePort())")
        controller = try Self.controller(folder, addresses)
        agent = try Self.agent(
            "agent", folder, launcher: zfs.launcher, configuration: ["docker_socket": .string(socket.path)])
        front = try await Self.initialise(folder, api: addresses.api)
    }

    /// init has been run; this is serve, token, enrol and run.
    private func open() async throws {
        try controller.start()
        guard await eventually(within: .seconds(60), { await self.front.isReady() }) else {
            throw SetupFailure("the controller does not come up: \(controller.log)")
        }
        try await enrol("agent", label: "role=services")
        try agent.start()
        _ = try await node { $0.state == "connected" }
    }

    /// Another agent, for a data folder of its own. It finds no engines and ends with the site, if not before.
    func guest(_ name: String) throws -> Daemon {
        let daemon = try Self.agent(name, folder, configuration: ["drivers": []])
        guests.withLock { $0.append(daemon) }
        return daemon
    }

    /// Starts the agent anew, with more in its configuration than usual.
    func restartAgent(_ more: JSONObject) async throws {
        var configuration = more
        configuration["docker_socket"] = .string(socket.path)
        try folder.write(JSONValue.object(configuration).encoded, to: "agent.json")
        await agent.stop()
        try agent.start()
        try await settle()
    }

    /// Ends all that runs.
    func stop() async {
        for daemon in guests.withLock({ $0 }) + [agent] { await daemon.stop() }
        await controller.stop()
        socket.stop()
        await docker.stop()
        await zfs.stop()
    }
}

extension Site {
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

    private static func controller(_ folder: ScratchFolder, _ addresses: (api: String, agents: String)) throws -> Daemon
    {
        // Samples and inventories come often, so that nobody waits long for them.
        let configuration = try folder.write(
            Array(#"{"sample_ms": 500, "inventory_ms": 1000, "log_level": "debug"}"#.utf8), to: "controller.json")
        mkdir(folder.file("controller-log"), 0o700)
        return Daemon(
            [
                try Programs.path("innkeeper-controller"), "serve", "--data", folder.file("controller"), "--config",
                configuration, "--api", addresses.api, "--agents", addresses.agents,
            ], logs: folder.file("controller-log"))
    }

    /// An agent with a data folder and a configuration of its own.
    private static func agent(
        _ name: String, _ folder: ScratchFolder, launcher: [String] = [], configuration: JSONObject
    ) throws -> Daemon {
        let file = try folder.write(JSONValue.object(configuration).encoded, to: "\(name).json")
        mkdir(folder.file("\(name)-log"), 0o700)
        return Daemon(
            launcher + [
                try Programs.path("innkeeper-agent"), "run", "--data", folder.file(name), "--config", file,
            ], logs: folder.file("\(name)-log"))
    }

    private static func initialise(_ folder: ScratchFolder, api: String) async throws -> Front {
        let outcome = try await Programs.run(
            "innkeeper-controller",
            ["init", "--data", folder.file("controller"), "--key-file", folder.file("admin.key")])
        guard outcome.succeeded else { throw SetupFailure("init: \(outcome.errorText)") }
        let key = String(decoding: try folder.read("admin.key"), as: UTF8.self)
        return Front(
            url: "https://\(api)", key: String(key.dropLast()), authority: try folder.read("controller/ca.pem"))
    }

    /// A port of the loopback that nobody listens on.
    private static func freePort() throws -> UInt16 {
        let descriptor = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { Glibc.close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isBound else { throw SetupFailure("no free port") }
        return UInt16(bigEndian: address.sin_port)
    }
}
