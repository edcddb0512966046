extension Schema {
    /// Nodes, services, operations and who may ask for them. Times are milliseconds, JSON is text.
    static let schema1Control = """
        CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);

        CREATE TABLE nodes (
            id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, labels TEXT NOT NULL, schedulable BIGINT NOT NULL,
            state TEXT NOT NULL, last_seen BIGINT, agent_version TEXT, facts TEXT NOT NULL, boot TEXT,
            cpu_millis BIGINT NOT NULL, memory_bytes BIGINT NOT NULL, disk_bytes BIGINT NOT NULL,
            enrolled_at BIGINT NOT NULL, revoked_at BIGINT,
            certificate_serial TEXT, certificate_fingerprint TEXT, certificate_expires BIGINT);

        CREATE TABLE certificates (
            serial TEXT PRIMARY KEY, node TEXT NOT NULL REFERENCES nodes (id), fingerprint TEXT NOT NULL UNIQUE,
            issued_at BIGINT NOT NULL, expires_at BIGINT NOT NULL, revoked_at BIGINT);
        CREATE INDEX certificates_by_node ON certificates (node, expires_at);

        CREATE TABLE tokens (
            id TEXT PRIMARY KEY, secret_hash TEXT NOT NULL, labels TEXT NOT NULL,
            uses_left BIGINT NOT NULL CHECK (uses_left >= 0), expires_at BIGINT NOT NULL, created_at BIGINT NOT NULL,
            created_by TEXT, revoked_at BIGINT);

        CREATE TABLE api_keys (
            id TEXT PRIMARY KEY, name TEXT NOT NULL, hash TEXT NOT NULL, scopes TEXT NOT NULL, role TEXT NOT NULL,
            customer TEXT, expires_at BIGINT, created_at BIGINT NOT NULL, last_used_at BIGINT, revoked_at BIGINT);

        CREATE TABLE plans (
            name TEXT NOT NULL, revision BIGINT NOT NULL, spec TEXT NOT NULL, created_at BIGINT NOT NULL,
            retired_at BIGINT, PRIMARY KEY (name, revision));

        CREATE TABLE services (
            id TEXT PRIMARY KEY, external_id TEXT UNIQUE, customer TEXT NOT NULL, plan TEXT NOT NULL,
            plan_revision BIGINT NOT NULL, spec TEXT NOT NULL, state TEXT NOT NULL, node TEXT REFERENCES nodes (id),
            generation BIGINT NOT NULL, address TEXT NOT NULL, observed TEXT NOT NULL, created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL);
        CREATE INDEX services_by_node ON services (node, id);
        CREATE INDEX services_by_customer ON services (customer, id);
        CREATE INDEX services_by_state ON services (state, id);

        CREATE TABLE operations (
            id TEXT PRIMARY KEY, kind TEXT NOT NULL, service TEXT REFERENCES services (id), node TEXT,
            position BIGINT NOT NULL, state TEXT NOT NULL, parameters TEXT NOT NULL, result TEXT, error TEXT,
            requested_by TEXT, idempotency_key TEXT, created_at BIGINT NOT NULL, started_at BIGINT,
            finished_at BIGINT, cancel_requested BIGINT NOT NULL);
        CREATE UNIQUE INDEX operations_by_service ON operations (service, position) WHERE service IS NOT NULL;
        CREATE INDEX operations_by_state ON operations (state, id);
        CREATE INDEX operations_by_node ON operations (node, id);

        CREATE TABLE journal (
            operation TEXT NOT NULL REFERENCES operations (id), seq BIGINT NOT NULL, time BIGINT NOT NULL,
            entry TEXT NOT NULL, PRIMARY KEY (operation, seq));
        CREATE TABLE operation_log (
            operation TEXT NOT NULL REFERENCES operations (id), seq BIGINT NOT NULL, time BIGINT NOT NULL,
            level TEXT NOT NULL, step TEXT, text TEXT NOT NULL, PRIMARY KEY (operation, seq));

        CREATE TABLE allocations (
            kind TEXT NOT NULL, scope TEXT NOT NULL, value TEXT NOT NULL, node TEXT, service TEXT NOT NULL,
            operation TEXT, created_at BIGINT NOT NULL, PRIMARY KEY (kind, scope, value));
        CREATE INDEX allocations_by_service ON allocations (service);
        CREATE TABLE reservations (
            service TEXT PRIMARY KEY, node TEXT NOT NULL, pool TEXT, cpu_millis BIGINT NOT NULL,
            memory_bytes BIGINT NOT NULL, disk_bytes BIGINT NOT NULL, created_at BIGINT NOT NULL);
        CREATE INDEX reservations_by_node ON reservations (node);

        CREATE TABLE commands (
            id TEXT PRIMARY KEY, operation TEXT, step TEXT, node TEXT NOT NULL, resource TEXT NOT NULL,
            body TEXT NOT NULL, state TEXT NOT NULL, result TEXT, created_at BIGINT NOT NULL, sent_at BIGINT,
            finished_at BIGINT);
        CREATE INDEX commands_by_operation ON commands (operation);
        CREATE INDEX commands_by_node ON commands (node, state);

        CREATE TABLE idempotency (
            scope TEXT NOT NULL, key TEXT NOT NULL, digest TEXT NOT NULL, status BIGINT NOT NULL, body TEXT NOT NULL,
            created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL, PRIMARY KEY (scope, key));
        CREATE INDEX idempotency_by_expiry ON idempotency (expires_at);

        CREATE TABLE audit (
            id TEXT PRIMARY KEY, time BIGINT NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
            subject TEXT NOT NULL, detail TEXT NOT NULL, remote TEXT);
        CREATE INDEX audit_by_subject ON audit (subject, id);
        CREATE INDEX audit_by_actor ON audit (actor, id);

        CREATE TABLE inventory (
            node TEXT NOT NULL, driver TEXT NOT NULL, resource TEXT NOT NULL, generation BIGINT NOT NULL,
            state TEXT NOT NULL, updated_at BIGINT NOT NULL, PRIMARY KEY (node, driver, resource));
        """
}
