package import APIModels
import Model
import Store
import Transport
import WireProtocol

/// A webhook that somebody wants.
package struct WebhookOrder: Sendable {
    package var name: String
    package var url: String
    /// Whose services it is told of; nil for everybody's.
    package var customer: String?
    package var events: [String]
    package var authority: String?
    /// Whether it may be in a private network, or on this machine.
    package var allowsPrivate: Bool

    package init(
        name: String, url: String, customer: String?, events: [String], authority: String?, allowsPrivate: Bool
    ) {
        (self.name, self.url, self.customer, self.events) = (name, url, customer, events)
        (self.authority, self.allowsPrivate) = (authority, allowsPrivate)
    }
}

extension Operations {
    /// Of one customer, and of nobody.
    private static func webhookLimit(_ customer: String?) -> Int { customer == nil ? 100 : 10 }

    /// Its secret is in the answer, and nowhere else.
    package func addWebhook(_ order: WebhookOrder, by requester: Requester) async throws(CoreError) -> WebhookView {
        var order = order
        if let own = requester.customer {
            guard order.customer == nil || order.customer == own else {
                throw .invalid(field: "customer", problem: "must be the customer that the key is bound to")
            }
            order.customer = own
        }
        if let customer = order.customer, !Grammar.externalID.accepts(customer) {
            throw .invalid(field: "customer", problem: "must be \(Grammar.externalID.expectation)")
        }
        try requester.requirePrivate(order.allowsPrivate)
        let target = try order.check()
        let (now, secrets) = (now, WebhookSecrets.make())
        let made = WebhookRecord(
            id: Identifier.make("whk"), name: order.name, owner: requester.customer, customer: order.customer,
            url: order.url,
            events: order.events, authority: order.authority, allowsPrivate: order.allowsPrivate,
            secrets: secrets.json, createdAt: now)
        try await record { store throws(StoreError) -> Result<Void, CoreError> in
            let limit = Self.webhookLimit(made.owner)
            guard try store.webhookCount(of: made.owner) < limit else {
                return .failure(.conflict("there are \(limit) webhooks already; remove one first"))
            }
            try store.insertWebhook(made)
            // The rest of the URL may be a secret.
            var detail: JSONObject = ["name": .string(made.name), "host": .string(target.host)]
            detail["customer"] = made.customer.map { .string($0) }
            try store.audit("webhook.create", made.id, by: requester, at: now, detail: detail)
            return .success(())
        }
        return WebhookView(made, at: now, secret: secrets.current.text)
    }

    /// What is nil stays. Switched on again, it is told what happens from then on.
    package func updateWebhook(
        _ id: String, _ change: WebhookChange, by requester: Requester
    ) async throws(CoreError) -> WebhookView {
        let now = now
        return try await withWebhook(id, by: requester) { store, record throws(StoreError) in
            var order = WebhookOrder(
                name: change.name ?? record.name, url: change.url ?? record.url, customer: record.customer,
                events: change.events ?? record.events, authority: change.authority ?? record.authority,
                allowsPrivate: change.allowPrivate ?? record.allowsPrivate)
            if order.authority?.isEmpty == true { order.authority = nil }
            let wanted = order
            do throws(CoreError) {
                let isElsewhere = change.url != nil || !record.allowsPrivate
                try requester.requirePrivate(wanted.allowsPrivate && isElsewhere)
                _ = try wanted.check()
            } catch { return .failure(error) }
            let changed = try store.updateWebhook(record.id, at: now) { record in
                (record.name, record.url, record.events) = (wanted.name, wanted.url, wanted.events)
                (record.authority, record.allowsPrivate) = (wanted.authority, wanted.allowsPrivate)
                switch change.enabled {
                case true?: (record.disabledAt, record.disabledBecause) = (nil, nil)
                case false? where record.disabledAt == nil:
                    (record.disabledAt, record.disabledBecause) = (now, "somebody has switched it off")
                default: break
                }
            }
            if changed.disabledAt == nil {
                _ = try store.resolve(
                    Finding.webhookDisabled, subject: record.destination, by: requester.name, at: now)
            }
            try store.audit("webhook.update", record.id, by: requester, at: now)
            return .success(WebhookView(changed, at: now))
        }
    }

    /// Gives it a new secret; the one before signs too for a day, so that the receiver can change over.
    package func rotateWebhook(_ id: String, by requester: Requester) async throws(CoreError) -> WebhookView {
        let now = now
        return try await withWebhook(id, by: requester) { store, record throws(StoreError) in
            var secrets = WebhookSecrets(record.secrets) ?? .make()
            secrets.rotate(at: now)
            let rotated = secrets
            let changed = try store.updateWebhook(record.id, at: now) { $0.secrets = rotated.json }
            try store.audit("webhook.rotate", record.id, by: requester, at: now)
            return .success(WebhookView(changed, at: now, secret: rotated.current.text))
        }
    }

    package func removeWebhook(_ id: String, by requester: Requester) async throws(CoreError) {
        let now = now
        try await withWebhook(id, by: requester) { store, record throws(StoreError) -> Result<Void, CoreError> in
            try store.removeWebhook(record)
            for kind in [Finding.webhookDisabled, Finding.webhookDead] {
                _ = try store.resolve(kind, subject: record.destination, by: requester.name, at: now)
            }
            try store.audit("webhook.delete", record.id, by: requester, at: now)
            return .success(())
        }
    }

    /// Sends a message of its own kind, whatever the webhook wants to hear of.
    package func testWebhook(_ id: String, by requester: Requester) async throws(CoreError) -> DeliveryView {
        let now = now
        return try await withWebhook(id, by: requester) { store, record throws(StoreError) in
            guard record.disabledAt == nil else {
                return .failure(
                    .notAllowedInState(
                        resource: "webhook \(record.id)", state: "switched off", reason: "switch it on first"))
            }
            guard try !store.hasWaiting(EventKind.test.rawValue, for: record.destination) else {
                return .failure(.conflict("a test of this webhook is on its way already"))
            }
            let message = OutboxRecord(.test, to: record, about: nil, nil, id: Identifier.make("msg"), at: now)
            try store.post(message)
            try store.audit("webhook.test", record.id, by: requester, at: now)
            return .success(DeliveryView(message))
        }
    }

    /// Tries again what was given up: one message, or all. Returns how many.
    package func replayWebhook(
        _ id: String, delivery: String? = nil, by requester: Requester
    ) async throws(CoreError) -> Int {
        let now = now
        return try await withWebhook(id, by: requester) { store, record throws(StoreError) in
            guard record.disabledAt == nil else {
                return .failure(
                    .notAllowedInState(
                        resource: "webhook \(record.id)", state: "switched off", reason: "switch it on first"))
            }
            if let delivery {
                guard let message = try store.message(delivery), message.destination == record.destination else {
                    return .failure(.namesNothing(field: "delivery", "there is no delivery \(delivery.prefix(64))"))
                }
            }
            let count = try store.replay(messagesTo: record.destination, only: delivery, at: now)
            if delivery == nil {
                _ = try store.resolve(Finding.webhookDead, subject: record.destination, by: requester.name, at: now)
            }
            try store.audit(
                "webhook.replay", record.id, by: requester, at: now, detail: ["messages": .integer(Int64(count))])
            return .success(count)
        }
    }

    /// In one transaction with one that whoever asks may change. One of another customer is not there.
    private func withWebhook<Value: Sendable>(
        _ id: String, by requester: Requester,
        _ body: @escaping @Sendable (isolated Store, WebhookRecord) throws(StoreError) -> Result<Value, CoreError>
    ) async throws(CoreError) -> Value {
        try await record { store throws(StoreError) in
            guard let record = try store.webhook(id),
                requester.customer == nil || requester.customer == record.owner
            else { return .failure(.notFound(kind: "webhook", id: id)) }
            return try body(store, record)
        }
    }
}

extension Requester {
    /// A customer must not make the controller knock at doors that only it can reach.
    fileprivate func requirePrivate(_ isWanted: Bool) throws(CoreError) {
        if isWanted, customer != nil { throw .forbidden("\(name) may not allow private addresses") }
    }
}

extension WebhookOrder {
    fileprivate func check() throws(CoreError) -> WebhookTarget {
        let known = Set(EventKind.allCases.map(\.rawValue)).subtracting([EventKind.test.rawValue])
        guard events.count <= 32 else { throw .invalid(field: "events", problem: "has more than 32 elements") }
        for (index, event) in events.enumerated() where !known.contains(event) {
            throw .invalid(
                field: "events[\(index)]", problem: "must be one of \(known.sorted().joined(separator: ", "))")
        }
        if let authority {
            guard authority.utf8.count <= 64 << 10, let chain = try? Certificate.chain(pem: authority), !chain.isEmpty
            else { throw .invalid(field: "authority", problem: "must be one to 16 certificates as PEM") }
        }
        return try WebhookTarget(url, allowsPrivate: allowsPrivate)
    }
}
