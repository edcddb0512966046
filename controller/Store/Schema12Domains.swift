extension Schema {
    /// Domains of customers' own, and backups of services. Both stood in what was observed of a service, which lies sealed: the
    /// store reads it when it is opened, and then takes the note away.
    static let schema12Domains = """
        CREATE TABLE domains (
            service TEXT NOT NULL, name TEXT NOT NULL, token TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL,
            zone TEXT, served BIGINT NOT NULL, operation TEXT, added_at BIGINT NOT NULL, since BIGINT NOT NULL,
            checked_at BIGINT, due_at BIGINT NOT NULL, misses BIGINT NOT NULL, tries BIGINT NOT NULL,
            PRIMARY KEY (service, name));
        CREATE INDEX domains_by_due ON domains (due_at);
        CREATE TABLE backups (
            id TEXT PRIMARY KEY, service TEXT NOT NULL, name TEXT NOT NULL, node TEXT, size_bytes BIGINT,
            cause TEXT NOT NULL, state TEXT NOT NULL, made_at BIGINT NOT NULL, verified_at BIGINT,
            due_at BIGINT NOT NULL, held_by TEXT, UNIQUE (service, name));
        CREATE INDEX backups_by_due ON backups (due_at);
        INSERT INTO settings (name, value) SELECT 'observed.unread', 'domains'
            WHERE EXISTS (SELECT 1 FROM services WHERE state <> 'terminated');
        """
}
