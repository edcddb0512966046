extension Schema {
    /// What placement reads of a fleet: a small row of each node, and what is promised there, summed up.
    static let schema9Rooms = """
        ALTER TABLE nodes ADD COLUMN draining BIGINT NOT NULL DEFAULT 0;
        CREATE TABLE rooms (
            node TEXT PRIMARY KEY, name TEXT NOT NULL, labels TEXT NOT NULL, schedulable BIGINT NOT NULL,
            draining BIGINT NOT NULL, revoked BIGINT NOT NULL, approved BIGINT NOT NULL, cpu_millis BIGINT NOT NULL,
            memory_bytes BIGINT NOT NULL, body TEXT NOT NULL);
        CREATE TABLE promises (
            node TEXT NOT NULL, pool TEXT NOT NULL, services BIGINT NOT NULL, cpu_millis BIGINT NOT NULL,
            memory_bytes BIGINT NOT NULL, disk_bytes BIGINT NOT NULL, PRIMARY KEY (node, pool));
        INSERT INTO promises (node, pool, services, cpu_millis, memory_bytes, disk_bytes)
            SELECT node, coalesce(pool, ''), count(*), sum(cpu_millis), sum(memory_bytes), sum(disk_bytes)
            FROM reservations GROUP BY node, coalesce(pool, '');
        """
}
