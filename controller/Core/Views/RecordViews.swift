import APIModels
import Model
import Store
import WireProtocol

extension GapView {
    init(_ record: GapRecord) {
        self.init(
            id: record.id, node: record.node, kind: record.kind, fromSeq: record.fromSeq, toSeq: record.toSeq,
            from: record.fromTime, to: record.toTime, reason: record.reason)
    }
}

extension NodeEventView {
    init(_ record: EventRecord) {
        self.init(
            id: record.id, node: record.node, time: record.time, driver: record.driver, resource: record.resource,
            kind: record.kind, data: record.data.isEmpty ? nil : .object(record.data.capped(to: 2048)))
    }
}

extension InventoryItemView {
    init(_ record: InventoryRecord, isWhole: Bool) {
        let state = isWhole ? record.state : record.state.capped(to: 512)
        self.init(
            node: record.node, driver: record.driver, resource: record.resource, updatedAt: record.updatedAt,
            state: state.isEmpty ? nil : .object(state))
    }
}

extension FindingView {
    init(_ record: FindingRecord) {
        self.init(
            id: record.id, kind: record.kind, subject: record.subject, severity: record.severity.rawValue,
            state: record.state.rawValue, node: record.node, service: record.service, summary: record.summary,
            remedy: record.remedy, since: record.since, lastSeen: record.lastSeen,
            data: record.data.isEmpty ? nil : .object(record.data))
        (acknowledgedAt, acknowledgedBy) = (record.acknowledgedAt, record.acknowledgedBy)
        (resolvedAt, resolvedBy, note) = (record.resolvedAt, record.resolvedBy, record.note)
    }
}
