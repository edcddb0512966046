import CLinux
package import Logging
package import ServiceLifecycle
import UnixSignals

/// What every daemon of the house does around its services.
package enum Daemon {
    /// The memory of the process, where keys are, goes into no core dump and to no debugger of the same user. To be
    /// called first.
    package static func closeToOthers() { linux_forbid_dumps() }

    /// Runs the services until SIGTERM or SIGINT asks for an orderly stop, or until one of them ends.
    ///
    /// A service that returns or throws before it was asked to stop ends them all.
    /// - Parameter patience: how long the orderly stop may take before everything is cancelled.
    /// - Throws: the first error of a service, or that a service ended unasked.
    package static func run(_ services: [any Service], patience: Duration, logger: Logger) async throws {
        var configuration = ServiceGroupConfiguration(
            services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        configuration.maximumGracefulShutdownDuration = patience
        configuration.maximumCancellationDuration = .seconds(5)
        try await ServiceGroup(configuration: configuration).run()
    }

    /// Does something at each SIGHUP, which no more ends the process, until it is cancelled.
    package static func onHangup(_ body: () async -> Void) async {
        for await _ in await UnixSignalsSequence(trapping: .sighup) { await body() }
    }
}

/// Exit codes of the daemons' command lines, as sysexits.h has them.
package enum ExitCode {
    /// The command line is wrong.
    package static let usage: Int32 = 64
    /// Something failed.
    package static let failure: Int32 = 1
}
