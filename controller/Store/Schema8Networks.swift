extension Schema {
    /// Who had what, from when to when; what nobody gets; what inventory shows to be taken; networks.
    static let schema8Networks = """
        CREATE TABLE allocations_of_all_times (
            kind TEXT NOT NULL, scope TEXT NOT NULL, value TEXT NOT NULL, slot TEXT NOT NULL, node TEXT,
            service TEXT NOT NULL, operation TEXT, created_at BIGINT NOT NULL, released_at BIGINT,
            PRIMARY KEY (kind, scope, value, created_at));
        INSERT INTO allocations_of_all_times (kind, scope, value, slot, node, service, operation, created_at)
            SELECT kind, scope, value, slot, node, service, operation, created_at FROM allocations;
        DROP TABLE allocations;
        ALTER TABLE allocations_of_all_times RENAME TO allocations;
        CREATE UNIQUE INDEX allocations_held ON allocations (kind, scope, value) WHERE released_at IS NULL;
        CREATE UNIQUE INDEX allocations_by_slot ON allocations (service, kind, scope, slot) WHERE released_at IS NULL;
        CREATE INDEX allocations_by_service ON allocations (service);
        CREATE INDEX allocations_by_age ON allocations (kind, scope, created_at);
        CREATE INDEX allocations_by_end ON allocations (released_at) WHERE released_at IS NOT NULL;

        CREATE TABLE withheld_values (
            id TEXT PRIMARY KEY, kind TEXT NOT NULL, scope TEXT NOT NULL, value TEXT NOT NULL, reason TEXT NOT NULL,
            note TEXT, since BIGINT NOT NULL, until BIGINT, UNIQUE (kind, scope, value));
        CREATE INDEX withheld_values_by_end ON withheld_values (until) WHERE until IS NOT NULL;

        CREATE TABLE sightings (
            node TEXT NOT NULL, driver TEXT NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL, resource TEXT NOT NULL,
            service TEXT, PRIMARY KEY (node, driver, kind, value, resource));
        -- Nodes tell all of it again when they connect, and then it is looked at for what it shows.
        DELETE FROM inventory;
        CREATE INDEX sightings_by_value ON sightings (kind, value);
        CREATE INDEX inventory_by_resource ON inventory (resource);

        CREATE TABLE networks (
            name TEXT PRIMARY KEY, spec TEXT NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL);
        ALTER TABLE nodes ADD COLUMN cluster TEXT;
        CREATE INDEX nodes_by_cluster ON nodes (cluster) WHERE cluster IS NOT NULL;
        """
}
