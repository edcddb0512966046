import Model
import Store
import WireProtocol

/// What a row is told.
enum QueueNews: Sendable, Hashable {
    case claimed
    /// - Parameters:
    ///   - docRoot: where the site's pages lie.
    ///   - tracking: its id with whoever counts visits; nil leaves what the row has.
    ///   - remark: what is still missing.
    case active(docRoot: String?, tracking: String?, remark: String?)
    case failed(String)

    /// The columns that are written, each with what it gets.
    func fields(_ settings: QueueSettings) -> JSONObject {
        let (sites, words) = (settings.sites, settings.words)
        var fields: JSONObject = [:]
        func set(_ column: String, _ value: JSONValue?) { if !column.isEmpty, let value { fields[column] = value } }
        switch self {
        case .claimed: set(sites.statusHosting, words.claimed.map { .string($0) })
        case .active(let docRoot, let tracking, let remark):
            set(sites.statusHosting, .string(words.active))
            set(sites.docRoot, docRoot.map { .string($0) })
            set(sites.matomoSiteID, tracking.map { .string($0) })
            set(sites.errorMessage, remark.map { .string(QueueText.reason($0)) } ?? .null)
        case .failed(let reason):
            set(sites.statusHosting, .string(words.failed))
            set(sites.errorMessage, .string(QueueText.reason(reason)))
        }
        return fields
    }

    /// What may stand in the row's status for it to be told so. What else stands there somebody else has written.
    func from(_ words: QueueSettings.Words) -> [String] {
        let open = [words.pending] + [words.claimed].compactMap(\.self)
        return switch self {
        case .claimed: open
        case .active: open + [words.active]
        case .failed: open + [words.failed]
        }
    }
}

extension Store {
    /// Posts news for a row, unless they are what it was told last. Call it in the transaction of the cause. Returns the claim
    /// as it is then.
    func post(
        _ news: QueueNews, of claim: QueueClaimRecord, _ settings: QueueSettings, at time: Timestamp
    ) throws(StoreError) -> QueueClaimRecord {
        let fields = news.fields(settings)
        guard claim.wanted != fields else { return claim }
        let body: JSONObject = [
            "fields": .object(fields), "from": .array(news.from(settings.words).map { .string($0) }),
        ]
        try post(
            OutboxRecord(
                id: Identifier.make("msg"), destination: claim.destination, subject: claim.subject,
                kind: "queue.write", body: body, createdAt: time))
        return try updateClaim(claim.id) { $0.wanted = fields } ?? claim
    }
}
