import APIModels
package import ControllerCore
import Hummingbird
import HummingbirdCore
package import Logging
package import Model
import NIOCore
import ServiceLifecycle
package import Store
package import Transport

/// The REST API over HTTPS. Runs until it is cancelled or gracefully shut down; event streams end then.
package struct APIServer: ServiceLifecycle.Service {
    private let settings: APISettings
    private let tls: (@Sendable () -> TLSContext)?
    private let logger: Logger
    private let store: Store
    private let history: ChangeHistory
    private let front: Front
    private let doors: Doors
    let strangers: StrangerStreams
    private let onRunning: @Sendable (_ port: Int) async -> Void

    /// - Parameters:
    ///   - tls: asked at each connection for a server context that speaks `protocolNames` without a client certificate; nil for plain HTTP in tests.
    ///   - onRunning: told the port once connections are accepted.
    package init(
        store: Store, operations: Operations, settings: APISettings, tls: (@Sendable () -> TLSContext)?, logger: Logger,
        now: @escaping @Sendable () -> Timestamp = Timestamp.now,
        onRunning: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
    ) {
        self.settings = settings
        self.tls = tls
        self.logger = logger
        self.store = store
        self.onRunning = onRunning
        strangers = StrangerStreams(total: settings.maximumConnections)
        history = ChangeHistory(run: String(now().milliseconds, radix: 36))
        let places = CallerPlaces(settings.callers, connections: settings.maximumConnections / 2)
        let gatekeeper = Gatekeeper(
            authentication: Authentication(store: store, now: now), places: places, settings: settings, now: now)
        front = Front(
            gatekeeper: gatekeeper, idempotency: Idempotency(store: store), bodyDeadline: settings.bodyDeadline,
            denials: DenialLog(store: store), now: now)
        doors = Doors(
            store: store, operations: operations, history: history, counters: RequestCounters(), places: places,
            settings: settings, now: now)
    }

    /// What the TLS context must speak (ALPN), in order of preference; without ALPN it is the last.
    package static let protocolNames = [HTTP2Channel.protocolName, "http/1.1"]

    var responder: APIRouter { APIRouter(doors.endpoints, front, doors.counters) }

    /// How many event streams are open.
    var listeners: Int { history.listeners }

    var counters: RequestCounters { doors.counters }

    var endpoints: [Endpoint] { doors.endpoints }

    package func run() async throws {
        let changes = store.changes()
        let application = application
        try await withGracefulShutdownHandler {
            try await withThrowingTaskGroup { group in
                group.addTask {
                    for await change in changes { history.append(change) }
                    return false
                }
                group.addTask {
                    try await application.run()
                    return true
                }
                defer { group.cancelAll() }
                // The feed may end with the store; it is the server that this waits for.
                while let isServer = try await group.next(), !isServer {}
            }
        } onGracefulShutdown: {
            history.finish()
        }
    }

    private var application: Application<APIRouter> {
        let onRunning = onRunning
        return Application(
            responder: responder,
            server: server,
            configuration: ApplicationConfiguration(
                address: .hostname(settings.host, port: settings.port),
                // The gate and the callers' places keep below the maximum; beyond it are those that are being closed.
                availableConnectionsDelegate: MaximumAvailableConnections(settings.maximumConnections * 5 / 4)),
            onServerRunning: { channel in await onRunning(channel.localAddress?.port ?? 0) },
            logger: logger)
    }

    private var server: HTTPServerBuilder {
        let configuration = HTTP1Channel.Configuration(
            idleTimeout: TimeAmount(settings.idleTimeout),
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: HeadLimits.fieldBytes, maxHeaderListSize: HeadLimits.bytes,
                maxHeaderFieldCount: HeadLimits.fields))
        guard let tls else { return .http1(configuration: configuration) }
        // Half of the places are left to those who have shown a key, whatever strangers do.
        let gate = ConnectionGate(
            total: settings.maximumConnections / 2, perAddress: min(64, settings.maximumConnections / 2))
        let (strangers, idleTimeout) = (strangers, settings.idleTimeout)
        return HTTPServerBuilder { responder in
            let http1 = HTTP1Channel(responder: responder, configuration: configuration)
            return TLSChildChannel(
                context: tls, gate: gate, http1: http1,
                http2: HTTP2Channel(http1: http1, strangers: strangers, idleTimeout: idleTimeout))
        }
    }
}
