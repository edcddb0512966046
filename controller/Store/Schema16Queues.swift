extension Schema {
    /// Tables of others in which work stands: who looks into them, what came with requests, and which rows were taken.
    static let schema16Queues = """
        CREATE TABLE queues (
            name TEXT PRIMARY KEY, settings TEXT NOT NULL, enabled BIGINT NOT NULL, place TEXT, due_at BIGINT NOT NULL,
            held_until BIGINT, after_row TEXT, run_at BIGINT, problem TEXT, created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL);
        CREATE INDEX queues_by_due ON queues (due_at);

        CREATE TABLE queue_requests (
            id TEXT PRIMARY KEY, settings TEXT NOT NULL, asked_by TEXT NOT NULL, created_at BIGINT NOT NULL,
            expires_at BIGINT NOT NULL, erased_at BIGINT);
        CREATE INDEX queue_requests_by_expiry ON queue_requests (expires_at) WHERE erased_at IS NULL;

        CREATE TABLE queue_claims (
            id TEXT PRIMARY KEY, place TEXT NOT NULL, row_key TEXT NOT NULL, queue TEXT, request TEXT,
            domain TEXT NOT NULL, service TEXT, operation TEXT, state TEXT NOT NULL, wanted TEXT NOT NULL, told TEXT,
            problem TEXT, created_at BIGINT NOT NULL, due_at BIGINT NOT NULL, finished_at BIGINT);
        CREATE UNIQUE INDEX queue_claims_open ON queue_claims (place, row_key) WHERE finished_at IS NULL;
        CREATE INDEX queue_claims_by_row ON queue_claims (place, row_key, id);
        CREATE INDEX queue_claims_by_due ON queue_claims (due_at) WHERE state IN ('working', 'watching');
        CREATE INDEX queue_claims_by_queue ON queue_claims (queue, state, id);
        CREATE INDEX queue_claims_by_request ON queue_claims (request, state);
        CREATE INDEX queue_claims_by_end ON queue_claims (finished_at) WHERE finished_at IS NOT NULL;
        """
}
