extension Schema {
    /// What there was before products were several is of the first one.
    static let schema10Products = """
        ALTER TABLE plans ADD COLUMN product TEXT NOT NULL DEFAULT 'container';
        ALTER TABLE services ADD COLUMN product TEXT NOT NULL DEFAULT 'container';
        CREATE INDEX services_by_product ON services (product, id);
        """
}
