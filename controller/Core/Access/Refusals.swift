package import Model
import Store
package import WireProtocol

/// Calls that were refused for who made them, in the audit log; a flood of them does not fill it.
package struct Refusals: Sendable {
    private let log: DenialLog

    package init(_ operations: Operations) { log = DenialLog(store: operations.dependencies.store) }

    /// - Parameters:
    ///   - subject: what was asked for.
    ///   - detail: with a `reason`; calls of one asker with the same are told once.
    package func note(
        actor: String, subject: String, detail: JSONObject, remote: String?, at time: Timestamp
    ) async {
        await log.note(
            AuditRecord(
                id: Identifier.make("aud"), time: time, actor: actor, action: "call.denied", subject: subject,
                detail: detail, remote: remote))
    }
}
