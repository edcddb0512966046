package import Model
import SQL

extension Store {
    package func insertWebhook(_ record: WebhookRecord) throws(StoreError) {
        try transaction { () throws(StoreError) in try insert(record) }
    }

    package func webhook(_ id: String) throws(StoreError) -> WebhookRecord? {
        try first(WebhookRecord.self, "WHERE id = ?", [id])
    }

    /// - Parameter owner: whose they are; nil for everybody's.
    package func webhooks(
        of owner: String? = nil, page request: PageRequest = PageRequest()
    ) throws(StoreError) -> Page<WebhookRecord> {
        var conditions = Conditions()
        conditions.equal("owner", owner)
        return try page(WebhookRecord.self, conditions, request, cursor: \.id)
    }

    /// How many there are: of one customer, or the operator's.
    package func webhookCount(of owner: String?) throws(StoreError) -> Int {
        let which = owner == nil ? "owner IS NULL" : "owner = ?"
        let values: [any SQLBindable] = owner.map { [$0] } ?? []
        let sql = "SELECT count(*) FROM webhooks WHERE \(which)"
        return try row(sql, values) { (row) throws(SQLError) in try row.int() } ?? 0
    }

    /// Those that are told of a customer's services.
    package func webhooks(hearingOf customer: String) throws(StoreError) -> [WebhookRecord] {
        let rest = "WHERE disabled_at IS NULL AND (customer IS NULL OR customer = ?) ORDER BY id"
        return try select(WebhookRecord.self, rest, [customer])
    }

    /// Reads, changes and writes one. Returns it as it is afterwards; throws `notFound`.
    @discardableResult
    package func updateWebhook(
        _ id: String, at time: Timestamp, _ change: @Sendable (inout WebhookRecord) -> Void
    ) throws(StoreError) -> WebhookRecord {
        try transaction { () throws(StoreError) in
            guard var record = try webhook(id) else { throw .notFound(kind: "webhook", id: id) }
            let before = record
            change(&record)
            record.id = id
            guard record != before else { return record }
            record.updatedAt = time
            try overwrite(record)
            return record
        }
    }

    /// With all of its messages.
    package func removeWebhook(_ record: WebhookRecord) throws(StoreError) {
        try transaction { () throws(StoreError) in
            _ = try run("DELETE FROM outbox WHERE destination = ?", [record.destination])
            _ = try run("DELETE FROM webhooks WHERE id = ?", [record.id])
        }
    }
}
