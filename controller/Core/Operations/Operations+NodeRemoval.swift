import Model
import Store
import WireProtocol

extension Operations {
    /// Forgets a node. It must be revoked, and nothing may be left on it in our books.
    package func removeNode(_ node: String, by requester: Requester) async throws(CoreError) {
        try requester.requireFleet()
        let now = now
        try await record { store throws(StoreError) -> Result<Void, CoreError> in
            guard let record = try store.node(node) else { return .failure(.notFound(kind: "node", id: node)) }
            guard record.revokedAt != nil else {
                return .failure(
                    .notAllowedInState(
                        resource: "node \(record.name)", state: record.state.rawValue, reason: "revoke it first"))
            }
            let held = try store.services(onNode: node)
            guard held.isEmpty else {
                let services = held.prefix(10).map(\.id).joined(separator: ", ")
                return .failure(
                    .notAllowedInState(
                        resource: "node \(record.name)", state: "in use", reason: "it holds \(services)"))
            }
            try store.removeNode(node, at: now)
            try store.audit("node.remove", node, by: requester, at: now, detail: ["name": .string(record.name)])
            return .success(())
        }
        await dependencies.agents.forget(node)
    }
}
