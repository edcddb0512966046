import ServiceLifecycle

/// Keeps the sessions' clock until the daemon stops.
package struct SessionService: Service {
    private let desk: SessionDesk

    package init(desk: SessionDesk) { self.desk = desk }

    package func run() async throws {
        let desk = self.desk
        await cancelWhenGracefulShutdown {
            var count = 0
            while !Task.isCancelled {
                await desk.tick(recording: count.isMultiple(of: 5))
                count += 1
                try? await Task.sleep(for: .seconds(1))
            }
        }
        desk.fleet.shutDown()
    }
}
