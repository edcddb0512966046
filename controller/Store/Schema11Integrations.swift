extension Schema {
    /// Services of others that are set up, and which of our services have things there.
    static let schema11Integrations = """
        CREATE TABLE integrations (
            name TEXT PRIMARY KEY, kind TEXT NOT NULL, settings TEXT NOT NULL, created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL);
        CREATE TABLE integration_uses (
            integration TEXT NOT NULL, service TEXT NOT NULL, since BIGINT NOT NULL,
            PRIMARY KEY (integration, service));
        CREATE INDEX integration_uses_by_service ON integration_uses (service);
        """
}
