import Model
import Store
import WireProtocol

/// What others can be told of.
package enum EventKind: String, Sendable, Hashable, CaseIterable {
    /// It was ordered, and is there.
    case up = "innkeeper.service.up"
    /// It was ordered, and could not be made or will not be.
    case failed = "innkeeper.service.failed"
    case suspended = "innkeeper.service.suspended"
    case resumed = "innkeeper.service.resumed"
    case upgraded = "innkeeper.service.upgraded"
    case terminated = "innkeeper.service.terminated"
    /// Something was not done to it, and it is as it was.
    case operationFailed = "innkeeper.service.operation_failed"
    /// Something may be left over, and somebody has to look.
    case needsAttention = "innkeeper.service.needs_attention"
    /// Somebody tries whether messages arrive.
    case test = "innkeeper.webhook.test"

    /// What the end of an operation means for its service; nil for what nobody needs to hear.
    init?(end operation: OperationRecord, of service: ServiceRecord) {
        switch operation.state {
        case .succeeded:
            guard let kind = Self.successes[operation.kind] else { return nil }
            self = kind
        case .needsAttention: self = .needsAttention
        case .failed: self = service.state == .failed ? .failed : .operationFailed
        case .cancelled where service.state == .failed: self = .failed
        default: return nil
        }
    }

    private static let successes: [String: EventKind] = [
        "provision": .up, "suspend": .suspended, "resume": .resumed, "upgrade": .upgraded, "terminate": .terminated,
    ]
}

extension OutboxRecord {
    /// A message as CloudEvents 1.0 has it. It tells nothing of nodes, and of failures their code alone, for customers read it.
    init(
        _ kind: EventKind, to webhook: WebhookRecord, about service: ServiceRecord?, _ operation: OperationRecord?,
        id: String, at time: Timestamp
    ) {
        let subject = service.map { "service/\($0.id)" } ?? "webhook/\(webhook.id)"
        var data: JSONObject = [:]
        if let service {
            data["service"] = .string(service.id)
            data["external_id"] = service.externalID.map { .string($0) }
            data["customer"] = .string(service.customer)
            data["product"] = .string(service.product)
            data["plan"] = .string(service.plan)
            data["state"] = .string(service.state.rawValue)
        }
        if let operation {
            var about: JSONObject = [
                "id": .string(operation.id), "kind": .string(operation.kind),
                "state": .string(operation.state.rawValue),
            ]
            about["error"] = operation.error.map { .string($0.code) }
            data["operation"] = .object(about)
        }
        self.init(
            id: id, destination: webhook.destination, subject: subject, kind: kind.rawValue,
            body: [
                "specversion": "1.0", "id": .string(id), "source": "urn:innkeeper:controller",
                "type": .string(kind.rawValue), "subject": .string(subject), "time": .string(time.iso8601),
                "datacontenttype": "application/json", "data": .object(data),
            ], createdAt: time)
    }
}
