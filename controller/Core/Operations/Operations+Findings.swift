import Model
package import Store
import WireProtocol

extension Operations {
    /// Says that somebody knows of a finding.
    package func acknowledgeFinding(
        _ id: String, note: String?, by requester: Requester
    ) async throws(CoreError) -> FindingRecord {
        try await changeFinding(id, "finding.acknowledge", note, by: requester) { store, time throws(StoreError) in
            try store.acknowledgeFinding(id, by: requester.name, note: note, at: time)
        }
    }

    /// Says that a finding is settled; if it is not, it is raised anew.
    package func resolveFinding(
        _ id: String, note: String?, by requester: Requester
    ) async throws(CoreError) -> FindingRecord {
        try await changeFinding(id, "finding.resolve", note, by: requester) { store, time throws(StoreError) in
            try store.resolveFinding(id, by: requester.name, note: note, at: time)
        }
    }

    private func changeFinding(
        _ id: String, _ action: String, _ note: String?, by requester: Requester,
        _ change: @escaping @Sendable (isolated Store, Timestamp) throws(StoreError) -> FindingRecord
    ) async throws(CoreError) -> FindingRecord {
        try requester.requireFleet()
        let now = now
        return try await record { store throws(StoreError) in
            let finding = try change(store, now)
            let detail: JSONObject = note.map { ["note": .string($0)] } ?? [:]
            try store.audit(action, id, by: requester, at: now, detail: detail)
            return .success(finding)
        }
    }
}
