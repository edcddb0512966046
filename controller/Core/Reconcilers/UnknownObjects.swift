import Logging
import Model
import Store
import WireProtocol

/// Reports things on nodes that carry our mark but belong to no service that has its place there: a slow engine may make one
/// after its command was given up and everything else was undone. They are left alone: they may be all that remains of
/// somebody's data.
struct UnknownObjects: Reconciler {
    let name = "unknown-objects"
    let interval = Duration.seconds(300)

    private static let kind = "drift.unknown"
    /// So many are named.
    private static let named = 10

    /// Things of one noun on one node.
    private struct Found {
        var noun: String
        var items: [InventoryRecord]
    }

    func reconcile(_ dependencies: Dependencies) async throws {
        let now = dependencies.clock.now()
        for node in await dependencies.agents.connected().sorted() {
            var found: [Found] = []
            for marked in dependencies.catalogue.products.flatMap(\.objects) {
                let items = try await unknown(marked, on: node, dependencies, at: now)
                if !items.isEmpty { found.append(Found(noun: marked.noun, items: items)) }
            }
            try await tell(found, node, dependencies, at: now)
        }
    }

    private func unknown(
        _ marked: MarkedObjects, on node: String, _ dependencies: Dependencies, at now: Timestamp
    ) async throws -> [InventoryRecord] {
        var unknown: [InventoryRecord] = []
        for item in try await dependencies.store.inventory(node: node, driver: marked.driver) {
            guard let owner = marked.owner(item), now - item.updatedAt > ServiceDrift.grace,
                try await isUnknown(owner, on: node, dependencies.store)
            else { continue }
            unknown.append(item)
        }
        return unknown
    }

    private func tell(_ found: [Found], _ node: String, _ dependencies: Dependencies, at now: Timestamp) async throws {
        let subject = "node/\(node)"
        guard !found.isEmpty else {
            _ = try await dependencies.store.resolve(Self.kind, subject: subject, by: "reconciler/\(name)", at: now)
            return
        }
        let items = found.flatMap(\.items)
        let counts = found.map { "\($0.items.count) \($0.noun)" }.joined(separator: " and ")
        let resources = items.prefix(Self.named).map { $0.resource.capped(to: 128) }
        let finding = Finding(
            Self.kind, subject: subject, .warning, node: node,
            summary: "A node has \(counts) with our mark that are no service's there.",
            remedy: "Look whether anybody needs their data, then remove them on the node.",
            data: [
                "count": .integer(Int64(items.count)), "resources": .array(resources.map { .string($0) }),
            ])
        if try await dependencies.store.raise(finding, at: now) {
            dependencies.logger.warning(
                "a node has things of unknown services",
                metadata: ["node": "\(node)", "resources": "\(resources.joined(separator: ", "))"])
        }
    }

    private func isUnknown(_ service: String, on node: String, _ store: Store) async throws -> Bool {
        guard let record = try await store.service(service) else { return true }
        guard record.state == .terminated || record.node != node else { return false }
        return try await store.unfinishedOperations(service: service).isEmpty
    }
}
