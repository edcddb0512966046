import AgentCore
import Logging
import ServiceLifecycle

/// The agent as a service: asked to end, it ends in order.
struct AgentService: Service {
    let agent: Agent

    func run() async throws {
        let resting = Task { await Footprint.keepSmall() }
        defer { resting.cancel() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await agent.run() }
            group.addTask {
                try? await gracefulShutdown()
                await agent.stop()
            }
            // Whichever comes first: the state on disk failed, or the orderly stop is done.
            try await group.next()
            group.cancelAll()
        }
    }
}
