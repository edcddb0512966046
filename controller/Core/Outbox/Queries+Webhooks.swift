package import APIModels
import Model
import Store
import WireProtocol

extension Queries {
    /// Those that the viewer may change, oldest first.
    package func webhooks(_ part: ListPart) async throws(CoreError) -> Listing<WebhookView> {
        let (viewer, now) = (viewer, now)
        let page = try await read { store throws(StoreError) in
            try store.webhooks(of: viewer.customer, page: part.request())
        }
        return page.listing { WebhookView($0, at: now, isWhole: viewer.mayChange) }
    }

    package func webhook(_ id: String) async throws(CoreError) -> WebhookView {
        WebhookView(try await found(webhook: id), at: now, isWhole: viewer.mayChange)
    }

    /// Its messages, newest first.
    package func deliveries(
        of id: String, state: String?, _ part: ListPart
    ) async throws(CoreError) -> Listing<DeliveryView> {
        let destination = try await found(webhook: id).destination
        let page = try await read { store throws(StoreError) in
            try store.messages(
                OutboxFilter(destination: destination, state: state.flatMap(OutboxRecord.State.init(rawValue:))),
                page: part.request(.descending))
        }
        return page.listing { DeliveryView($0) }
    }

    /// What `state` of a delivery can be.
    package static let deliveryStates = OutboxRecord.State.allCases.map(\.rawValue)

    private func found(webhook id: String) async throws(CoreError) -> WebhookRecord {
        let viewer = viewer
        let found = try await read { store throws(StoreError) in try store.webhook(id) }
        guard let found, viewer.customer == nil || viewer.customer == found.owner else {
            throw .notFound(kind: "webhook", id: id)
        }
        return found
    }
}

extension Viewer {
    fileprivate var mayChange: Bool { scopes.permits(.services) }
}

extension WebhookView {
    /// - Parameters:
    ///   - isWhole: whether all of the URL is shown, which may hold a secret; else where it is.
    ///   - secret: shown when it was made, and never again.
    init(_ record: WebhookRecord, at time: Timestamp, isWhole: Bool = true, secret: String? = nil) {
        let until = WebhookSecrets(record.secrets)?.previousUntil
        self.init(
            id: record.id, name: record.name, customer: record.customer,
            url: isWhole ? record.url : Self.place(record.url),
            events: record.events,
            hasAuthority: record.authority != nil, allowPrivate: record.allowsPrivate, createdAt: record.createdAt,
            changedAt: record.updatedAt, disabledAt: record.disabledAt, disabledBecause: record.disabledBecause,
            previousSecretUntil: until.flatMap { $0 > time ? $0 : nil }, secret: secret)
    }
}

extension WebhookView {
    /// `https://example.org/…`
    private static func place(_ url: String) -> String {
        let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        return parts.count < 4 ? url : parts.prefix(3).joined(separator: "/") + "/…"
    }
}

extension DeliveryView {
    init(_ record: OutboxRecord) {
        self.init(
            id: record.id, event: record.kind, subject: record.subject, state: record.state.rawValue,
            attempts: record.attempts, createdAt: record.createdAt,
            dueAt: record.state == .waiting ? record.dueAt : nil, finishedAt: record.finishedAt,
            status: record.status, problem: record.problem)
    }
}
