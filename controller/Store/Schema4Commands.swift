extension Schema {
    /// Commands that somebody gives to a node directly: what a node can do, and the last that a command has said.
    static let schema4Commands = """
        CREATE TABLE node_catalogues (node TEXT PRIMARY KEY REFERENCES nodes (id), body TEXT NOT NULL);
        CREATE TABLE operation_output (operation TEXT PRIMARY KEY REFERENCES operations (id), body TEXT NOT NULL);
        CREATE INDEX commands_by_resource ON commands (node, resource);
        """
}
