extension Schema {
    /// To find the operation that an earlier attempt at the same request has made.
    static let schema3Keys = """
        CREATE INDEX operations_by_key ON operations (idempotency_key) WHERE idempotency_key IS NOT NULL;
        """
}
