import APIModels
package import ControllerCore
package import HTTP
import HTTPTypes
package import Logging
package import Model
import ServiceLifecycle
package import Transport

/// The REST API over HTTPS. Runs until it is cancelled or gracefully shut down; event streams end then.
package struct APIServer: ServiceLifecycle.Service {
    private let server: HTTPServer
    private let operations: Operations
    let history: ChangeHistory
    private let doors: APIResources
    let lists: [EndpointList]
    let pipeline: Pipeline

    /// - Parameters:
    ///   - tls: asked at each connection for a server context as `Listener` wants it; nil for plain HTTP in tests.
    ///   - others: APIs of other shapes on the same core.
    ///   - onRunning: told the place of a listener among all, and its port, once connections are accepted there.
    /// - Throws: that a plain listener is not on the loopback.
    package init(
        operations: Operations, settings: APISettings, tls: (@Sendable () -> TLSContext)?, others: [OtherAPI] = [],
        logger: Logger, now: @escaping @Sendable () -> Timestamp = Timestamp.now,
        onRunning: @escaping @Sendable (_ listener: Int, _ port: Int) async -> Void = { _, _ in }
    ) throws(ListenerError) {
        self.operations = operations
        history = ChangeHistory(run: String(now().milliseconds, radix: 36))
        let refusals = Refusals(operations)
        pipeline = Pipeline(
            settings.http, answers: KeptAnswers(in: operations), onDenied: { await refusals.note($0) }, now: now)
        let keys = KeyCheck(operations)
        doors = APIResources(
            operations: operations, keyCheck: keys, history: history, counters: pipeline.counters, settings: settings,
            now: now)
        let authentication = Authentication(keys: keys)
        let holders = Authenticator { try await authentication.caller($0[.authorization], remote: $1) }
        let front = OtherAPI.Front(operations: operations, history: history, holders: holders)
        lists =
            [EndpointList(doors.endpoints, authenticator: holders, errors: ErrorShape { Problem(core: $0) })]
            + others.map { $0.list(front) }
        let security = tls.map { Listener.Security.tls($0) } ?? .plain
        var listeners = [try Listener(host: settings.host, port: settings.port, security: security, lists: lists)]
        for further in settings.further {
            listeners.append(
                try Listener(
                    host: further.host, port: further.port, security: further.isPlain ? .plain : security, lists: lists)
            )
        }
        for own in others.compactMap(\.own) {
            listeners.append(
                try Listener(
                    host: own.host, port: own.port, security: own.isPlain ? .plain : security, lists: [own.list(front)])
            )
        }
        server = HTTPServer(listeners, pipeline, logger: logger, onRunning: onRunning)
    }

    /// How many event streams are open.
    var listeners: Int { history.listeners }

    var counters: RequestCounters { pipeline.counters }

    var endpoints: [Endpoint] { doors.endpoints }

    package func run() async throws {
        let follow = history.follow(operations)
        try await withGracefulShutdownHandler {
            try await withThrowingTaskGroup { group in
                group.addTask {
                    await follow()
                    return false
                }
                group.addTask {
                    try await server.run()
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
}
