import DaemonKit
import HTTP
import Logging
import ServiceLifecycle
import Synchronization
import Transport
import WireProtocol

/// The listeners' TLS contexts. Looks once a day whether the server's certificate nears its end, and puts a new one in
/// place for new connections, so that a controller may run for years. The operator's own certificate is read again then,
/// and at SIGHUP.
final class ServerCertificates: Service {
    private struct Contexts {
        var own: Served
        /// With the operator's certificate, where there is one.
        var api: Served
        var agents: TLSContext
    }

    private struct Served {
        let serial: String
        let context: TLSContext

        init(_ identity: TLSIdentity) throws {
            serial = identity.chain[0].serial
            context = try TLSContext(
                server: TLSServerConfiguration(
                    identity: identity,
                    services: Listener.protocolNames.map { .init($0, clientCertificate: .none) },
                    serviceWithoutALPN: Listener.protocolNames.last))
        }
    }

    private let make: @Sendable () throws -> TLSIdentity
    private let pair: OperatorPair?
    private let agentRules: @Sendable (TLSIdentity) -> TLSServerConfiguration
    private let report: @Sendable (_ trouble: String?) async -> Void
    private let contexts: Mutex<Contexts>
    private let logger: Logger

    /// - Parameters:
    ///   - make: the identity to serve with from now on; the same one while it is good.
    ///   - pair: the operator's own certificate for the API. One that cannot serve is an error here.
    ///   - agentRules: the rules of the agents' port for an identity.
    ///   - report: told what is wrong with the operator's files, or nil when they are right.
    init(
        make: @escaping @Sendable () throws -> TLSIdentity, pair: OperatorPair? = nil,
        agentRules: @escaping @Sendable (TLSIdentity) -> TLSServerConfiguration,
        report: @escaping @Sendable (_ trouble: String?) async -> Void = { _ in }, logger: Logger
    ) throws {
        self.make = make
        self.pair = pair
        self.agentRules = agentRules
        self.report = report
        self.logger = logger
        let identity = try make()
        let own = try Served(identity)
        contexts = Mutex(
            Contexts(
                own: own, api: try pair.map { try Served($0.identity()) } ?? own,
                agents: try TLSContext(server: agentRules(identity))))
    }

    var agents: TLSContext { contexts.withLock { $0.agents } }
    var api: TLSContext { contexts.withLock { $0.api.context } }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask { await Daemon.onHangup { await self.reload() } }
                group.addTask {
                    while !Task.isCancelled {
                        try? await Task.sleep(for: .seconds(86_400))
                        if Task.isCancelled { return }
                        self.renewIfDue()
                        await self.reload()
                    }
                }
            }
        }
    }

    func renewIfDue() {
        do {
            let identity = try make()
            guard identity.chain[0].serial != contexts.withLock({ $0.own.serial }) else { return }
            let (own, agents) = (try Served(identity), try TLSContext(server: agentRules(identity)))
            contexts.withLock { contexts in
                contexts.own = own
                contexts.agents = agents
                if pair == nil { contexts.api = own }
            }
            logger.notice("server certificate renewed", metadata: ["serial": "\(own.serial)"])
        } catch {
            logger.error("the server certificate could not be renewed", metadata: ["error": "\(error)"])
        }
    }

    /// Reads the operator's files again. Those that cannot serve change nothing.
    func reload() async {
        guard let pair else { return }
        do {
            let served = try Served(pair.identity())
            let isNew = contexts.withLock { contexts in
                defer { if served.serial != contexts.api.serial { contexts.api = served } }
                return served.serial != contexts.api.serial
            }
            if isNew { logger.notice("the API's certificate was read anew", metadata: ["serial": "\(served.serial)"]) }
            await report(nil)
        } catch {
            logger.error("the API's new certificate cannot serve; the old one stays", metadata: ["error": "\(error)"])
            await report("\(error)")
        }
    }
}
