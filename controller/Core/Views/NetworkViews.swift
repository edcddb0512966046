import APIModels
import Model
import Store
import WireProtocol

extension AllocationView {
    init(_ record: AllocationRecord) {
        self.init(
            kind: record.kind, scope: record.scope, value: record.value, slot: record.slot.isEmpty ? nil : record.slot,
            node: record.node, service: record.service, operation: record.operation, since: record.createdAt,
            until: record.releasedAt)
    }
}

extension WithheldView {
    init(_ value: WithheldValue) {
        self.init(
            id: value.id, kind: value.kind, scope: value.scope, value: value.value, reason: value.reason.rawValue,
            note: value.note, since: value.since, until: value.until)
    }
}

extension NetworkView {
    init(_ record: NetworkRecord, held: Int) throws(CoreError) {
        let spec = try? BodyDecoder.model(NetworkBody.self, from: .object(record.spec), unknownFields: .ignored)
        // This program has checked it before.
        guard let spec else { throw .store(.corrupt("network \(record.name): its row cannot be read")) }
        self.init(
            name: record.name, spec: spec, held: held, createdAt: record.createdAt, changedAt: record.updatedAt)
    }
}
