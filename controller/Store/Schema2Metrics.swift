extension Schema {
    /// What nodes send without being asked: samples, usage, events. See `docs/decisions/0004-metric-rows.md`.
    static let schema2Metrics = """
        CREATE TABLE positions (
            node TEXT NOT NULL, stream TEXT NOT NULL, position BIGINT, beyond TEXT NOT NULL,
            PRIMARY KEY (node, stream));

        CREATE TABLE metric_series (
            number BIGINT PRIMARY KEY, node TEXT NOT NULL, name_set TEXT NOT NULL, names TEXT NOT NULL,
            UNIQUE (node, name_set));
        CREATE TABLE metric_rows (
            series BIGINT NOT NULL, time BIGINT NOT NULL, data {bytes} NOT NULL, PRIMARY KEY (series, time));
        CREATE TABLE metric_chunks (
            series BIGINT NOT NULL, start BIGINT NOT NULL, samples BIGINT NOT NULL, data {bytes} NOT NULL,
            PRIMARY KEY (series, start));
        CREATE TABLE metric_rollups (
            series BIGINT NOT NULL, start BIGINT NOT NULL, data {bytes} NOT NULL, PRIMARY KEY (series, start));

        CREATE TABLE gaps (
            id TEXT PRIMARY KEY, node TEXT NOT NULL, kind TEXT NOT NULL, from_seq BIGINT NOT NULL,
            to_seq BIGINT NOT NULL, from_time BIGINT NOT NULL, to_time BIGINT NOT NULL, reason TEXT NOT NULL,
            UNIQUE (node, kind, from_seq, to_seq, from_time));
        CREATE TABLE events (
            id TEXT PRIMARY KEY, node TEXT NOT NULL, seq BIGINT NOT NULL, time BIGINT NOT NULL, driver TEXT NOT NULL,
            resource TEXT, kind TEXT NOT NULL, data TEXT NOT NULL);
        CREATE INDEX events_by_node ON events (node, id);
        CREATE INDEX events_by_time ON events (time);

        CREATE TABLE usage_counters (
            node TEXT NOT NULL, subject TEXT NOT NULL, meter TEXT NOT NULL, epoch TEXT NOT NULL,
            value BIGINT NOT NULL, time BIGINT NOT NULL, PRIMARY KEY (node, subject, meter, epoch));
        CREATE TABLE usage_windows (
            id TEXT PRIMARY KEY, subject TEXT NOT NULL, meter TEXT NOT NULL, start BIGINT NOT NULL, amount BIGINT NOT NULL);
        CREATE INDEX usage_counters_by_subject ON usage_counters (subject, meter);
        CREATE INDEX usage_windows_by_subject ON usage_windows (subject, start);
        """
}
