import Model
import Store

extension Store {
    /// Messages that were given up and are kept for one webhook; the oldest make room.
    private static var deadLimit: Int { 10_000 }
    /// Messages that wait for one webhook, with all that was given up and is tried again. Who takes none for so long is told no more.
    private static var waitingLimit: Int { 2 * deadLimit }

    /// Tells of what an operation has come to, in the transaction in which it ends.
    func announce(endOf operation: String, at time: Timestamp) throws(StoreError) {
        guard let operation = try self.operation(operation), let id = operation.service,
            let service = try service(id), let kind = EventKind(end: operation, of: service)
        else { return }
        try announce(kind, of: service, operation, at: time)
    }

    /// Call it in the transaction of the cause.
    func announce(
        _ kind: EventKind, of service: ServiceRecord, _ operation: OperationRecord? = nil, at time: Timestamp
    ) throws(StoreError) {
        for webhook in try webhooks(hearingOf: service.customer) where webhook.hears(kind) {
            guard try hasRoom(webhook, at: time) else { continue }
            try post(
                OutboxRecord(kind, to: webhook, about: service, operation, id: Identifier.make("msg"), at: time))
        }
    }

    private func hasRoom(_ webhook: WebhookRecord, at time: Timestamp) throws(StoreError) -> Bool {
        try keepNewestDead(Self.deadLimit, for: webhook.destination)
        guard try hasMessages(Self.waitingLimit, in: .waiting, for: webhook.destination) else { return true }
        try disable(webhook, because: "\(Self.waitingLimit) messages wait for it", at: time)
        return false
    }

    /// It is told nothing any more, until somebody switches it on again.
    func disable(_ webhook: WebhookRecord, because reason: String, at time: Timestamp) throws(StoreError) {
        try transaction { store throws(StoreError) in
            try store.updateWebhook(webhook.id, at: time) {
                $0.disabledAt = time
                $0.disabledBecause = reason
            }
            try store.giveUp(messagesTo: webhook.destination, because: "the webhook was switched off", at: time)
            try store.keepNewestDead(Self.deadLimit, for: webhook.destination)
            try store.raise(.disabled(webhook, because: reason), at: time)
        }
    }

    private func transaction(_ body: @Sendable (isolated Store) throws(StoreError) -> Void) throws(StoreError) {
        try atomically(body)
    }
}

extension WebhookRecord {
    func hears(_ kind: EventKind) -> Bool { events.isEmpty || events.contains(kind.rawValue) }
}

extension Finding {
    static let webhookDisabled = "webhook.disabled"
    static let webhookDead = "webhook.dead_letters"

    static func disabled(_ webhook: WebhookRecord, because reason: String) -> Finding {
        Finding(
            webhookDisabled, subject: webhook.destination, .error,
            summary: "Webhook \(webhook.name) (\(webhook.id)) was switched off and is told nothing since: \(reason).",
            remedy:
                "When its receiver is well: innctl webhook update \(webhook.id) --enable, then innctl webhook replay \(webhook.id)."
        )
    }

    static func dead(_ webhook: WebhookRecord, _ message: OutboxRecord) -> Finding {
        Finding(
            webhookDead, subject: webhook.destination, .warning,
            summary:
                "Webhook \(webhook.name) (\(webhook.id)) did not take messages, and they were given up. The last: \(message.problem ?? "no reason").",
            remedy:
                "See them: innctl webhook deliveries \(webhook.id) --state dead. Send them again: innctl webhook replay \(webhook.id)."
        )
    }
}
