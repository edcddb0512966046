extension Schema {
    /// By what the making of a thing is known whose name a service holds. Of what was made before, nobody has written it down.
    static let schema13Marks = """
        ALTER TABLE allocations ADD COLUMN nonce TEXT;
        """
}
