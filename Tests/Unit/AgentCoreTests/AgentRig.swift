import AgentCore
import DaemonKit
import DriverKit
import Logging
import Model
import NIOPosix
import TestSupport
import Transport
import WireProtocol

/// An agent with a scripted driver, in a folder of its own, that knows a scripted controller.
final class AgentRig: Sendable {
    let folder: ScratchFolder
    let controller: ScriptedController
    let driver: ScriptedDriver
    let agent: Agent
    private let running: Task<Void, any Error>
    private let data: DataDirectory

    static let node = "node_1"

    /// - Parameters:
    ///   - sources: where given, the agent begins without a driver.
    ///   - earlier: an agent that has ended, whose state this one goes on with.
    ///   - prepare: works on the data folder before the agent opens it.
    init(
        _ controller: ScriptedController, driver: ScriptedDriver = ScriptedDriver(), sources: [DriverSource]? = nil,
        after earlier: AgentRig? = nil,
        settings: AgentSettings = AgentSettings(), validity: Duration = .seconds(86_400), age: Duration = .zero,
        prepare: (String) throws -> Void = { _ in }
    ) async throws {
        self.controller = controller
        self.driver = driver
        folder = try earlier?.folder ?? ScratchFolder("agent")
        data = try earlier?.data ?? DataDirectory(folder.path)
        try prepare(folder.path)
        let identity = try Self.identity(controller, validity: validity, age: age)
        try identity.store(in: data)
        let machine = Machine(
            hostname: "test", boot: "boot-1",
            system: OperatingSystem(name: "debian", version: "12", kernel: "6", arch: "x86_64"))
        agent = try await Agent(
            identity: identity, data: data, drivers: sources == nil ? [driver] : [], sources: sources ?? [],
            machine: machine, settings: settings, group: MultiThreadedEventLoopGroup.singleton,
            logger: Logger(label: "agent") { _ in SwiftLogNoOpLogHandler() })
        let agent = agent
        running = Task { try await agent.run() }
    }

    /// Why the agent ended by itself.
    func failure() async -> (any Error)? {
        if case .failure(let error) = await running.result { error } else { nil }
    }

    static func identity(
        _ controller: ScriptedController, validity: Duration = .seconds(86_400), age: Duration = .zero
    ) throws -> NodeIdentity {
        let key = try PrivateKey.generate()
        let csr = try CertificateSigningRequest(pem: CertificateSigningRequest.make(key: key, commonName: node))
        let now = (Timestamp.now() - age).milliseconds
        let certificate = try controller.authority.issueNode(csr: csr, nodeID: node, validity: validity, now: now)
        return NodeIdentity(
            node: node, controller: controller.address, serverName: "controller.test", key: key,
            certificate: certificate, authority: controller.authority.certificate)
    }

    /// The orderly end.
    func stop() async {
        await agent.stop()
        running.cancel()
        _ = try? await running.value
    }

    static func command(
        _ id: String, on resource: String = "thing/a", generation: Int64 = 1, operation: String = "thing.ensure",
        arguments: JSONObject = [:], secrets: JSONObject? = nil, deadlineMs: Int64 = 60_000, window: Int64 = 65_536,
        journal: String? = nil
    ) -> ControllerMessage {
        .command(
            Command(
                id: id, resource: resource, generation: generation, driver: "scripted", operation: operation,
                arguments: arguments, secrets: secrets, deadlineMs: deadlineMs, window: window, journal: journal))
    }
}
