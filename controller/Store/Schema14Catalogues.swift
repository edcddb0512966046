extension Schema {
    /// What drivers say that they can do, once for all nodes that say the same. Nodes tell it again when they connect.
    static let schema14Catalogues = """
        DROP TABLE node_catalogues;
        CREATE TABLE catalogues (digest TEXT PRIMARY KEY, body TEXT NOT NULL);
        CREATE TABLE node_catalogues (
            node TEXT NOT NULL REFERENCES nodes (id), place BIGINT NOT NULL, digest TEXT NOT NULL,
            PRIMARY KEY (node, place));
        CREATE INDEX node_catalogues_by_digest ON node_catalogues (digest);
        """
}
