import Logging
import Model
import Store
import WireProtocol

/// Reports nodes whose certificate ends within a week. Agents renew at two thirds of its life, so that something is
/// wrong with such a node.
struct ExpiringCertificates: Reconciler {
    let name = "expiring-certificates"
    let interval = Duration.seconds(3600)
    private static let kind = "certificate.expiring"
    static let notice = Duration.seconds(7 * 86_400)

    func reconcile(_ dependencies: Dependencies) async throws {
        let now = dependencies.clock.now()
        for node in try await dependencies.store.nodesWithCertificate(expiringBefore: now + Self.notice) {
            guard let expires = node.certificateExpires else { continue }
            let finding = Finding(
                Self.kind, subject: "node/\(node.id)", .warning, node: node.id,
                summary: "The certificate of node \(node.name) ends at \(expires.iso8601) and was not renewed.",
                remedy: "Look at the agent's log and clock; without a renewal it must enrol again with a new token.",
                data: ["expires": .integer(expires.milliseconds)])
            if try await dependencies.store.raise(finding, at: now) {
                dependencies.logger.warning(
                    "a node's certificate is about to expire",
                    metadata: ["node": "\(node.name)", "expires": "\(expires.iso8601)"])
            }
        }
        _ = try await dependencies.store.settleFindings([Self.kind], unseenSince: now - Store.findingRest, at: now)
    }
}
