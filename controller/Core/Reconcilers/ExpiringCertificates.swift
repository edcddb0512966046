import Logging
import Model
import Store
import WireProtocol

/// Reports nodes whose certificate ends within a week. Agents renew at two thirds of its life, so that something is
/// wrong with such a node. One event for each certificate.
struct ExpiringCertificates: Reconciler {
    let name = "expiring-certificates"
    let interval = Duration.seconds(3600)
    static let notice = Duration.seconds(7 * 86_400)

    func reconcile(_ world: World) async throws {
        let now = world.clock.now()
        for node in try await world.store.nodesWithCertificate(expiringBefore: now + Self.notice) {
            guard let expires = node.certificateExpires else { continue }
            let finding = EventRecord(
                id: "ev_certificate.\(node.certificateSerial ?? node.id)", node: node.id, seq: 0, time: now,
                driver: "controller", resource: nil, kind: "certificate.expiring",
                data: ["expires": .integer(expires.milliseconds)])
            if try await world.store.recordFinding(finding) {
                world.logger.warning(
                    "a node's certificate is about to expire",
                    metadata: ["node": "\(node.name)", "expires": "\(expires.iso8601)"])
            }
        }
    }
}
