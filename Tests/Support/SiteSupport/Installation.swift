package import FaultProxy
import Glibc
import Model
import Processes
import Synchronization
package import TestSupport
package import WireProtocol

/// A controller as somebody sets it up, and agents that find no engines: real processes, all in one folder.
package final class Installation: Installed {
    package let folder: ScratchFolder
    package let controller: Daemon
    package let front: APIClient
    /// HOST:PORT of the API and of the agents' listener.
    package let addresses: (api: String, agents: String)
    /// What the agents dial: it hands everything on to the listener, as long as it is not told otherwise.
    package let link: FaultProxy
    private let agents = Mutex<[Daemon]>([])

    package var installation: Installation { self }

    /// `init` has been run; nothing is started yet.
    /// - Parameter configuration: of the controller, over what tests usually have.
    package init(_ name: String = "installation", configuration: JSONObject = [:]) async throws {
        folder = try ScratchFolder(name)
        let port = try freePort()
        addresses = ("127.0.0.1:\(try freePort())", "127.0.0.1:\(port)")
        link = try await FaultProxy.start(toPort: Int(port))
        // Samples and inventories come often, so that nobody waits long for them.
        var all: JSONObject = ["sample_ms": 500, "inventory_ms": 1000, "log_level": "debug"]
        for key in configuration.keys { all[key] = configuration[key] }
        let file = try folder.write(JSONValue.object(all).encoded, to: "controller.json")
        mkdir(folder.file("controller-log"), 0o700)
        controller = Daemon(
            [
                try Programs.path("innkeeper-controller"), "serve", "--data", folder.file("controller"), "--config",
                file, "--api", addresses.api, "--agents", addresses.agents,
            ], logs: folder.file("controller-log"))
        front = try await Self.initialise(folder, api: addresses.api)
    }

    /// Starts the controller and waits until it takes requests.
    package func open() async throws {
        try controller.start()
        guard await eventually(within: .seconds(60), { await self.front.isReady() }) else {
            throw SetupFailure("the controller does not come up: \(controller.log)")
        }
    }

    /// An agent with a data folder and a configuration of its own. It ends with the installation, if not before.
    /// - Parameter launcher: a command that runs it, before its own.
    package func agent(
        _ name: String, launcher: [String] = [], configuration: JSONObject = ["drivers": []]
    ) throws -> Daemon {
        let file = try folder.write(JSONValue.object(configuration).encoded, to: "\(name).json")
        mkdir(folder.file("\(name)-log"), 0o700)
        let daemon = Daemon(
            launcher + [
                try Programs.path("innkeeper-agent"), "run", "--data", folder.file(name), "--config", file,
            ], logs: folder.file("\(name)-log"))
        agents.withLock { $0.append(daemon) }
        return daemon
    }

    /// Ends all that runs.
    package func stop() async {
        for daemon in agents.withLock({ $0 }) { await daemon.stop() }
        await controller.stop()
        await link.stop()
    }
}

extension Installation {
    private static func initialise(_ folder: ScratchFolder, api: String) async throws -> APIClient {
        let outcome = try await Programs.run(
            "innkeeper-controller",
            ["init", "--data", folder.file("controller"), "--key-file", folder.file("admin.key")])
        guard outcome.succeeded else { throw SetupFailure("init: \(outcome.errorText)") }
        let key = String(decoding: try folder.read("admin.key"), as: UTF8.self)
        return APIClient(
            url: "https://\(api)", key: String(key.dropLast()), authority: try folder.read("controller/ca.pem"))
    }
}

/// What has an installation; its work is in extensions.
package protocol Installed: Sendable {
    var installation: Installation { get }
}

extension Installed {
    package var folder: ScratchFolder { installation.folder }
    package var controller: Daemon { installation.controller }
    package var front: APIClient { installation.front }
    package var addresses: (api: String, agents: String) { installation.addresses }
    package var link: FaultProxy { installation.link }
}
