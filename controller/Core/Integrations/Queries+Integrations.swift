import Store

extension Queries {
    /// All that are set up, by name. There are few: an operator writes each.
    package func integrations() async throws(CoreError) -> [IntegrationSummary] {
        let integrations = dependencies.integrations
        return try await readFleet { store throws(StoreError) in
            let users = try store.integrationUsers()
            return try store.integrations().map {
                IntegrationSummary($0, integrations.kind($0.kind), users: users[$0.name] ?? 0)
            }
        }
    }

    package func integration(_ name: String) async throws(CoreError) -> IntegrationSummary {
        guard let found = try await integrations().first(where: { $0.name == name }) else {
            throw .notFound(kind: "integration", id: name)
        }
        return found
    }
}
