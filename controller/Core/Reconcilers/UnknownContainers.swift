import Logging
import Model
import Store
import WireProtocol

/// Reports containers that carry our mark but belong to no service that has its place on their node: a slow engine may
/// make one after its order was given up and everything else was undone. They are left alone: they may be
/// all that remains of somebody's data. One event for each container.
struct UnknownContainers: Reconciler {
    let name = "unknown-containers"
    let interval = Duration.seconds(300)

    func reconcile(_ world: World) async throws {
        let now = world.clock.now()
        for node in await world.agents.connected().sorted() {
            for item in try await world.store.inventory(node: node, driver: "docker") {
                guard let owner = item.state["service"]?.asString, now - item.updatedAt > ServiceDrift.grace,
                    try await isUnknown(owner, on: node, world.store)
                else { continue }
                let mark = item.state["id"]?.asString ?? item.resource
                let finding = EventRecord(
                    id: "ev_unknown.\(node).\(mark)", node: node, seq: 0, time: now, driver: "controller",
                    resource: item.resource, kind: "drift.unknown", data: ["service": .string(owner)])
                if try await world.store.recordFinding(finding) {
                    world.logger.warning(
                        "a node has a container of an unknown service",
                        metadata: ["node": "\(node)", "resource": "\(item.resource)"])
                }
            }
        }
    }

    private func isUnknown(_ service: String, on node: String, _ store: Store) async throws -> Bool {
        guard let record = try await store.service(service) else { return true }
        guard record.state == .terminated || record.node != node else { return false }
        return try await store.unfinishedOperations(service: service).isEmpty
    }
}
