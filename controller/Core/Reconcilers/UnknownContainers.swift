import Logging
import Model
import Store
import WireProtocol

/// Reports containers that carry our mark but belong to no service that has its place on their node: a slow engine may
/// make one after its order was given up and everything else was undone. They are left alone: they may be
/// all that remains of somebody's data.
struct UnknownContainers: Reconciler {
    let name = "unknown-containers"
    let interval = Duration.seconds(300)

    private static let kind = "drift.unknown"
    /// So many are named.
    private static let named = 10

    func reconcile(_ world: World) async throws {
        let now = world.clock.now()
        for node in await world.agents.connected().sorted() {
            var unknown: [InventoryRecord] = []
            for item in try await world.store.inventory(node: node, driver: "docker") {
                guard let owner = item.state["service"]?.asString, now - item.updatedAt > ServiceDrift.grace,
                    try await isUnknown(owner, on: node, world.store)
                else { continue }
                unknown.append(item)
            }
            try await tell(unknown, node, world, at: now)
        }
    }

    private func tell(_ unknown: [InventoryRecord], _ node: String, _ world: World, at now: Timestamp) async throws {
        let subject = "node/\(node)"
        guard !unknown.isEmpty else {
            _ = try await world.store.resolve(Self.kind, subject: subject, by: "reconciler/\(name)", at: now)
            return
        }
        let resources = unknown.prefix(Self.named).map { $0.resource.capped(to: 128) }
        let finding = Finding(
            Self.kind, subject: subject, .warning, node: node,
            summary: "A node has \(unknown.count) containers with our mark that are no service's there.",
            remedy: "Look whether anybody needs their data, then remove them on the node.",
            data: [
                "count": .integer(Int64(unknown.count)), "resources": .array(resources.map { .string($0) }),
            ])
        if try await world.store.raise(finding, at: now) {
            world.logger.warning(
                "a node has containers of unknown services",
                metadata: ["node": "\(node)", "resources": "\(resources.joined(separator: ", "))"])
        }
    }

    private func isUnknown(_ service: String, on node: String, _ store: Store) async throws -> Bool {
        guard let record = try await store.service(service) else { return true }
        guard record.state == .terminated || record.node != node else { return false }
        return try await store.unfinishedOperations(service: service).isEmpty
    }
}
