import ServiceLifecycle

/// Keeps the sessions' clock until the daemon stops.
package struct SessionService: Service {
    private let desk: SessionDesk

    package init(desk: SessionDesk) { self.desk = desk }

    package func run() async throws {
        let desk = self.desk
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await desk.tick()
                try? await Task.sleep(for: .seconds(1))
            }
        }
        desk.fleet.shutDown()
    }
}
