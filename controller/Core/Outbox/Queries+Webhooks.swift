package import APIModels
import Model
import Store
import WireProtocol

extension Queries {
    /// Those that the viewer may change, oldest first.
    package func webhooks(_ part: ListPart) async throws(CoreError) -> Listing<WebhookView> {
        let (viewer, now) = (viewer, now)
        let page = try await read { store throws(StoreError) in
            try store.webhooks(ofCustomer: viewer.customer, page: part.request())
        }
        return page.listing { WebhookView($0, at: now) }
    }

    package func webhook(_ id: String) async throws(CoreError) -> WebhookView {
        WebhookView(try await found(webhook: id), at: now)
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
        guard let found, viewer.customer == nil || viewer.customer == found.customer else {
            throw .notFound(kind: "webhook", id: id)
        }
        return found
    }
}

extension WebhookView {
    /// - Parameter secret: shown when it was made, and never again.
    init(_ record: WebhookRecord, at time: Timestamp, secret: String? = nil) {
        let until = WebhookSecrets(record.secrets)?.previousUntil
        self.init(
            id: record.id, name: record.name, customer: record.customer, url: record.url, events: record.events,
            hasAuthority: record.authority != nil, allowPrivate: record.allowsPrivate, createdAt: record.createdAt,
            changedAt: record.updatedAt, disabledAt: record.disabledAt, disabledBecause: record.disabledBecause,
            previousSecretUntil: until.flatMap { $0 > time ? $0 : nil }, secret: secret)
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
