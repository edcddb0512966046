package import Model
import Store
package import WireProtocol

/// An integration as it may be shown.
package struct IntegrationSummary: Sendable {
    package var name: String
    package var kind: String
    /// Without secrets.
    package var settings: JSONObject
    /// The names of secrets that are set.
    package var secrets: [String]
    /// Services that use it.
    package var users: Int
    package var createdAt: Timestamp
    package var updatedAt: Timestamp

    init(_ record: IntegrationRecord, _ kind: IntegrationKind?, users: Int) {
        (name, self.kind, self.users) = (record.name, record.kind, users)
        (createdAt, updatedAt) = (record.createdAt, record.updatedAt)
        // Of a kind that this version does not know nobody can say what is secret.
        let open = record.settings.members.filter { kind?.secrets.contains($0.key) == false }
        settings = JSONObject(open.map { ($0.key, $0.value) })
        secrets = (kind?.secrets ?? []).filter { record.settings[$0] != nil }.sorted()
    }
}

/// What a test of an integration has shown.
package struct IntegrationReport: Sendable, Hashable {
    package var integration: String
    package var time: Timestamp
    package var checks: [IntegrationCheck]
    package var isPassed: Bool { checks.allSatisfy(\.isPassed) }
}
