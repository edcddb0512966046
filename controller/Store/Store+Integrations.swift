package import Model
import SQL

extension Store {
    package func insertIntegration(_ record: IntegrationRecord) throws(StoreError) {
        try transaction { () throws(StoreError) in try insert(record) }
    }

    package func updateIntegration(_ record: IntegrationRecord) throws(StoreError) {
        try transaction { () throws(StoreError) in
            guard try overwrite(record) else { throw .notFound(kind: "integration", id: record.name) }
        }
    }

    package func integration(_ name: String) throws(StoreError) -> IntegrationRecord? {
        try first(IntegrationRecord.self, "WHERE name = ?", [name])
    }

    /// All of them, by name. There are few: an operator writes each.
    package func integrations() throws(StoreError) -> [IntegrationRecord] {
        try select(IntegrationRecord.self, "ORDER BY name")
    }

    package func removeIntegration(_ name: String) throws(StoreError) {
        try transaction { () throws(StoreError) in
            _ = try run("DELETE FROM integration_uses WHERE integration = ?", [name])
            _ = try run("DELETE FROM integrations WHERE name = ?", [name])
        }
    }

    /// The service has things there, until it gives back all that it holds. Said again, it stays as it was.
    package func useIntegration(_ name: String, service: String, at time: Timestamp) throws(StoreError) {
        let sql = """
            INSERT INTO integration_uses (integration, service, since) VALUES (?, ?, ?)
            ON CONFLICT (integration, service) DO NOTHING
            """
        try transaction { () throws(StoreError) in _ = try run(sql, [name, service, time]) }
    }

    /// Part of giving back all that a service holds.
    func forgetIntegrations(of service: String) throws(StoreError) {
        _ = try run("DELETE FROM integration_uses WHERE service = ?", [service])
    }

    package func servicesUsing(integration name: String, limit: Int) throws(StoreError) -> [String] {
        try rows("SELECT service FROM integration_uses WHERE integration = ? ORDER BY service LIMIT ?", [name, limit]) {
            (row) throws(SQLError) in try row.text()
        }
    }

    /// How many services use each; those without are absent.
    package func integrationUsers() throws(StoreError) -> [String: Int] {
        let counts = try rows("SELECT integration, count(*) FROM integration_uses GROUP BY integration") {
            (row) throws(SQLError) in (try row.text(), try row.int())
        }
        return Dictionary(counts, uniquingKeysWith: { first, _ in first })
    }
}
