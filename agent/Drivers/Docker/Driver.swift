package import DriverKit
import Glibc
import HTTPFetch
import WireProtocol

/// Docker, through the Engine API on the engine's socket.
package struct DockerDriver: Driver {
    package static let name = "docker"
    package static let defaultSocket = "/var/run/docker.sock"

    package let concurrency = 8
    package var operations: [OperationSpec] { Self.table.map(\.spec) }
    package var version: String { engine.version }

    let engine: Engine
    let roster: ContainerRoster
    let creations = AbandonedCreations()
    let gate = NameGate()
    let mountRoots: [String]?
    let compose: ComposeOffice

    /// - Parameter mountRoots: when given, containers may mount only what lies below one of these directories.
    package init(
        socket: String = Self.defaultSocket, mountRoots: [String]? = nil, compose: ComposeSettings = ComposeSettings()
    ) {
        self.compose = ComposeOffice(compose)
        engine = Engine(socket: socket)
        roster = ContainerRoster(engine)
        self.mountRoots = mountRoots
    }

    /// The driver when there is a socket, also while no engine answers behind it: one that is still starting answers later.
    package static func detect(
        socket: String = Self.defaultSocket, mountRoots: [String]? = nil, compose: ComposeSettings = ComposeSettings()
    ) async -> DockerDriver? {
        var status = stat()
        guard stat(socket, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return nil }
        let driver = DockerDriver(socket: socket, mountRoots: mountRoots, compose: compose)
        _ = try? await driver.engine.negotiate()
        return driver
    }

    package func perform(
        _ call: OperationCall, _ context: OperationContext
    ) async throws(DriverError) -> OperationOutcome {
        try await Self.table.perform(call, on: self, context)
    }

    private static let table: [Operation<DockerDriver>] =
        imageOperations + containerOperations + networkOperations + volumeOperations + pruneOperations
        + composeOperations + [execOperation, eventOperation]
}
