import Logging
import Model
import Store

/// Empties nodes that are drained: has what can be moved moved, one at a time, and what cannot stopped where that is wished. All that
/// it knows is in the books, so that a restart goes on where it was.
struct DrainedNodes: Reconciler {
    let name = "drain"
    let interval = Duration.seconds(15)
    let operations: Operations

    func reconcile(_ dependencies: Dependencies) async throws {
        let (now, catalogue) = (dependencies.clock.now(), dependencies.catalogue)
        let connected = await dependencies.agents.connected()
        let nodes = try await dependencies.store.drainedNodes()
        // Two that look for room at once could both be promised the same: one at a time for all nodes of a cluster.
        var atWork: Set<String> = []
        var due: [(node: NodeRecord, service: String, isMove: Bool)] = []
        for node in nodes {
            let found = try await dependencies.store.atomically { store throws(StoreError) in
                try store.standings(on: node, catalogue, at: now).map { ($0.service.id, $0.standing) }
            }
            for (service, standing) in found {
                switch standing {
                case .moving: atWork.insert(Self.place(node))
                case .waiting(operation: nil): due.append((node, service, true))
                case .toStop: due.append((node, service, false))
                default: break
                }
            }
        }
        for (node, service, isMove) in due where connected.contains(node.id) {
            guard !isMove || !atWork.contains(Self.place(node)) else { continue }
            do throws(CoreError) {
                let begun = try await operations.leave(service, node.id)
                if isMove, begun != nil { atWork.insert(Self.place(node)) }
            } catch {
                dependencies.logger.warning(
                    "a service cannot leave a node that is drained",
                    metadata: ["service": "\(service)", "node": "\(node.name)", "error": "\(error)"])
            }
        }
    }

    private static func place(_ node: NodeRecord) -> String { node.cluster.map { "cluster \($0)" } ?? node.id }
}
