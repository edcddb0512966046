extension Schema {
    /// Which nodes are trusted, and with which figures: those that were there before this was asked are. Several
    /// allocations of a kind for one service. What others have on a node.
    static let schema6Trust = """
        ALTER TABLE nodes ADD COLUMN approved_at BIGINT;
        ALTER TABLE nodes ADD COLUMN approved_claims TEXT NOT NULL DEFAULT '{}';
        UPDATE nodes SET approved_at = enrolled_at;
        ALTER TABLE tokens ADD COLUMN approves BIGINT NOT NULL DEFAULT 0;
        ALTER TABLE allocations ADD COLUMN slot TEXT NOT NULL DEFAULT '';
        CREATE TABLE inventory_sums (
            node TEXT NOT NULL, driver TEXT NOT NULL, subject TEXT NOT NULL, bytes BIGINT NOT NULL,
            PRIMARY KEY (node, driver, subject));
        """
}
