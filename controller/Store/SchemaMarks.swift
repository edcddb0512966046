extension Schema {
    /// By what the making of a thing is known whose name a service holds. Of what was made before, nobody has written it down.
    static let schemaMarks = """
        ALTER TABLE allocations ADD COLUMN nonce TEXT;
        """
}
