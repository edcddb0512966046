import API
import Logging
import ServiceLifecycle
import Synchronization
import Transport
import WireProtocol

/// The listeners' TLS contexts. Looks once a day whether the server's certificate nears its end, and puts a new one in
/// place for new connections, so that a controller may run for years.
final class ServerCertificates: Service {
    private struct Contexts {
        var serial: String
        var agents: TLSContext
        var api: TLSContext
    }

    private let make: @Sendable () throws -> TLSIdentity
    private let agentRules: @Sendable (TLSIdentity) -> TLSServerConfiguration
    private let contexts: Mutex<Contexts>
    private let logger: Logger

    /// - Parameters:
    ///   - make: the identity to serve with from now on; the same one while it is good.
    ///   - agentRules: the rules of the agents' port for an identity.
    init(
        make: @escaping @Sendable () throws -> TLSIdentity,
        agentRules: @escaping @Sendable (TLSIdentity) -> TLSServerConfiguration, logger: Logger
    ) throws {
        self.make = make
        self.agentRules = agentRules
        self.logger = logger
        contexts = Mutex(try Self.contexts(make(), agentRules))
    }

    var agents: TLSContext { contexts.withLock { $0.agents } }
    var api: TLSContext { contexts.withLock { $0.api } }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: .seconds(86_400))
                if !Task.isCancelled { self.renewIfDue() }
            }
        }
    }

    func renewIfDue() {
        do {
            let identity = try make()
            guard identity.chain[0].serial != contexts.withLock({ $0.serial }) else { return }
            let renewed = try Self.contexts(identity, agentRules)
            contexts.withLock { $0 = renewed }
            logger.notice("server certificate renewed", metadata: ["serial": "\(renewed.serial)"])
        } catch {
            logger.error("the server certificate could not be renewed", metadata: ["error": "\(error)"])
        }
    }

    private static func contexts(
        _ identity: TLSIdentity, _ agentRules: (TLSIdentity) -> TLSServerConfiguration
    ) throws -> Contexts {
        Contexts(
            serial: identity.chain[0].serial, agents: try TLSContext(server: agentRules(identity)),
            api: try TLSContext(
                server: TLSServerConfiguration(
                    identity: identity,
                    services: APIServer.protocolNames.map { .init($0, clientCertificate: .none) },
                    serviceWithoutALPN: APIServer.protocolNames.last)))
    }
}
