extension Schema {
    /// What is not as it should be, who had what on which node, and usage by node and service.
    static let schema5Findings = """
        CREATE TABLE findings (
            id TEXT PRIMARY KEY, kind TEXT NOT NULL, subject TEXT NOT NULL, severity TEXT NOT NULL,
            node TEXT, service TEXT, summary TEXT NOT NULL, remedy TEXT NOT NULL, data TEXT NOT NULL,
            since BIGINT NOT NULL, last_seen BIGINT NOT NULL, acknowledged_at BIGINT, acknowledged_by TEXT,
            resolved_at BIGINT, resolved_by TEXT, note TEXT);
        CREATE UNIQUE INDEX findings_open ON findings (kind, subject) WHERE resolved_at IS NULL;
        CREATE INDEX findings_by_subject ON findings (subject, kind, resolved_at);
        CREATE INDEX findings_by_node ON findings (node, id) WHERE node IS NOT NULL;
        CREATE INDEX findings_by_service ON findings (service, id) WHERE service IS NOT NULL;
        CREATE INDEX findings_by_end ON findings (resolved_at) WHERE resolved_at IS NOT NULL;
        CREATE INDEX findings_by_sight ON findings (last_seen) WHERE resolved_at IS NULL;

        CREATE TABLE placements (
            node TEXT NOT NULL, subject TEXT NOT NULL, service TEXT NOT NULL, since BIGINT NOT NULL, until BIGINT,
            PRIMARY KEY (node, subject, since));
        CREATE INDEX placements_by_subject ON placements (subject);
        CREATE INDEX placements_by_service ON placements (service);
        CREATE INDEX placements_by_end ON placements (until) WHERE until IS NOT NULL;
        INSERT INTO placements (node, subject, service, since)
            SELECT coalesce(allocations.node, reservations.node),
                CASE allocations.kind WHEN 'container' THEN 'docker/' ELSE 'zfs/' END || allocations.value,
                allocations.service, allocations.created_at
            FROM allocations LEFT JOIN reservations ON reservations.service = allocations.service
            WHERE allocations.kind IN ('container', 'dataset')
                AND coalesce(allocations.node, reservations.node) IS NOT NULL
            ON CONFLICT DO NOTHING;

        ALTER TABLE usage_windows ADD COLUMN node TEXT;
        ALTER TABLE usage_windows ADD COLUMN service TEXT;
        ALTER TABLE usage_windows ADD COLUMN length BIGINT NOT NULL DEFAULT 3600000;
        CREATE INDEX usage_windows_by_service ON usage_windows (service, start) WHERE service IS NOT NULL;

        CREATE INDEX operations_by_end ON operations (finished_at) WHERE finished_at IS NOT NULL;
        CREATE INDEX gaps_by_end ON gaps (to_time);
        CREATE INDEX audit_by_time ON audit (time);
        CREATE INDEX usage_counters_by_time ON usage_counters (time);
        CREATE INDEX events_by_kind ON events (kind, id);
        """
}
