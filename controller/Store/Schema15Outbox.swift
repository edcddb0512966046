extension Schema {
    /// What must reach somebody else, and the endpoints of others that are told what happens.
    static let schema15Outbox = """
        CREATE TABLE outbox (
            id TEXT PRIMARY KEY, destination TEXT NOT NULL, subject TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL,
            state TEXT NOT NULL, attempts BIGINT NOT NULL, due_at BIGINT NOT NULL, created_at BIGINT NOT NULL,
            finished_at BIGINT, status BIGINT, problem TEXT);
        CREATE INDEX outbox_waiting ON outbox (destination, subject, id) WHERE state = 'waiting';
        CREATE INDEX outbox_due ON outbox (due_at, destination) WHERE state = 'waiting';
        CREATE INDEX outbox_by_destination ON outbox (destination, state, id);
        CREATE INDEX outbox_by_end ON outbox (finished_at) WHERE finished_at IS NOT NULL;

        CREATE TABLE webhooks (
            id TEXT PRIMARY KEY, name TEXT NOT NULL, owner TEXT, customer TEXT, url TEXT NOT NULL, events TEXT NOT NULL,
            authority TEXT, allows_private BIGINT NOT NULL, secrets TEXT NOT NULL, created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL, disabled_at BIGINT, disabled_because TEXT);
        CREATE INDEX webhooks_by_customer ON webhooks (customer, id);
        CREATE INDEX webhooks_by_owner ON webhooks (owner, id);
        """
}
