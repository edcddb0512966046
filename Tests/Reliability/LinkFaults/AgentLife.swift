import DaemonKit
import DriverKit
import Logging
import Model
import NIOPosix
import TestSupport
import Transport
import WireProtocol

@testable import AgentCore

/// What the agent is across its lives: its folder and its identity.
struct AgentPlace: Sendable {
    static let node = "node_truth"
    let folder: ScratchFolder
    let data: DataDirectory
    let identity: NodeIdentity
    var settings = AgentSettings()

    init(_ authority: CertificateAuthority, controller: String) throws {
        folder = try ScratchFolder("agent")
        data = try DataDirectory(folder.path)
        let key = try PrivateKey.generate()
        let csr = try CertificateSigningRequest(pem: CertificateSigningRequest.make(key: key, commonName: Self.node))
        let certificate = try authority.issueNode(
            csr: csr, nodeID: Self.node, validity: .seconds(86_400), now: Timestamp.now().milliseconds)
        identity = NodeIdentity(
            node: Self.node, controller: controller, serverName: "controller.test", key: key, certificate: certificate,
            authority: authority.certificate)
        // Tests have no minute to wait.
        settings.backoff = Backoff(shortest: .milliseconds(20), longest: .milliseconds(300))
    }
}

/// The agent in this process, from one start to one orderly end.
final class AgentLife: Sendable {
    private let agent: Agent
    private let work: Task<Void, any Error>

    init(_ place: AgentPlace, _ driver: any Driver, _ log: HouseLog) async throws {
        let machine = Machine(
            hostname: "test", boot: "boot-1",
            system: OperatingSystem(name: "debian", version: "12", kernel: "6", arch: "x86_64"))
        agent = try await Agent(
            identity: place.identity, data: place.data, drivers: [driver], machine: machine, settings: place.settings,
            group: MultiThreadedEventLoopGroup.singleton,
            logger: log.logger("agent"))
        let agent = agent
        work = Task {
            do { try await agent.run() } catch {
                log.logger("agent").error("ended by itself", metadata: ["error": "\(error)"])
                throw error
            }
        }
    }

    /// What the agent still has to send, and the numbers that come next.
    func extents() async throws -> (held: [ReportKind: ClosedRange<Int64>], next: [ReportKind: Int64]) {
        let spool = agent.files.spool
        let used = await spool.used
        let next: [ReportKind: Int64] = [
            .metrics: (used.metrics ?? 0) + 1, .usage: (used.usage ?? 0) + 1, .events: (used.events ?? 0) + 1,
        ]
        return (try await spool.ranges(), next)
    }

    func stop() async {
        await agent.stop()
        work.cancel()
        _ = try? await work.value
    }
}
