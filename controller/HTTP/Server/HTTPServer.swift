import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore
import ServiceLifecycle
import Transport

/// Serves listeners until it is cancelled or gracefully shut down.
package struct HTTPServer: ServiceLifecycle.Service {
    private let listeners: [Listener]
    private let pipeline: Pipeline
    private let logger: Logger
    private let onRunning: @Sendable (_ listener: Int, _ port: Int) async -> Void

    /// - Parameter onRunning: told the place of a listener among the others, and its port, once it accepts connections.
    package init(
        _ listeners: [Listener], _ pipeline: Pipeline, logger: Logger,
        onRunning: @escaping @Sendable (_ listener: Int, _ port: Int) async -> Void = { _, _ in }
    ) {
        self.listeners = listeners
        self.pipeline = pipeline
        self.logger = logger
        self.onRunning = onRunning
    }

    package func run() async throws {
        try await withThrowingTaskGroup { group in
            for (number, listener) in listeners.enumerated() {
                let application = application(listener, number)
                group.addTask {
                    do { try await application.run() } catch let error as IOError {
                        throw ListenError("the API", host: listener.host, port: listener.port, error)
                    }
                }
            }
            defer { group.cancelAll() }
            while try await group.next() != nil {
                // A listener that ends unasked takes the others along: half a server would go unnoticed.
                if !Task.isShuttingDownGracefully { return }
            }
        }
    }

    private func application(_ listener: Listener, _ number: Int) -> Application<APIRouter> {
        let onRunning = onRunning
        return Application(
            responder: APIRouter(listener.lists, pipeline), server: server(listener.security),
            configuration: ApplicationConfiguration(
                address: .hostname(listener.host, port: listener.port),
                // The gate and the callers' places keep below the maximum; beyond it are those that are being closed.
                availableConnectionsDelegate: MaximumAvailableConnections(
                    pipeline.settings.maximumConnections * 5 / 4)),
            onServerRunning: { channel in await onRunning(number, channel.localAddress?.port ?? 0) },
            logger: logger)
    }

    private func server(_ security: Listener.Security) -> HTTPServerBuilder {
        let configuration = HTTP1Channel.Configuration(
            idleTimeout: TimeAmount(pipeline.settings.idleTimeout),
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: HeadLimits.fieldBytes, maxHeaderListSize: HeadLimits.bytes,
                maxHeaderFieldCount: HeadLimits.fields))
        let pipeline = pipeline
        return HTTPServerBuilder { responder in
            let http1 = HTTP1Channel(responder: responder, configuration: configuration)
            guard case .tls(let context) = security else { return PlainChildChannel(http1: http1) }
            return TLSChildChannel(
                context: context, gate: pipeline.gate, http1: http1,
                http2: HTTP2Channel(
                    http1: http1, strangers: pipeline.strangers, idleTimeout: pipeline.settings.idleTimeout))
        }
    }
}
