import ServiceLifecycle

/// Keeps the sessions' clock until the daemon stops.
package struct SessionService: Service {
    private let manager: SessionManager

    package init(manager: SessionManager) { self.manager = manager }

    package func run() async throws {
        let manager = self.manager
        await cancelWhenGracefulShutdown {
            var count = 0
            while !Task.isCancelled {
                await manager.tick(recording: count.isMultiple(of: 5))
                count += 1
                try? await Task.sleep(for: .seconds(1))
            }
        }
        manager.fleet.shutDown()
    }
}
