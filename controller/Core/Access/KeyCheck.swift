package import APIModels
import Model
import Store
import Synchronization

/// Tells who holds a key.
package final class KeyCheck: Sendable {
    /// Who has shown a key, which need not hold any more.
    package struct Holder: Sendable, Hashable {
        package enum Standing: Sendable, Hashable { case valid, revoked, expired }

        package let key: String
        package let name: String
        /// Of one who is bound to a customer, those that customers may have.
        package let scopes: Set<Scope>
        /// The one customer whose things he sees; nil for all.
        package let customer: String?
        package let standing: Standing
    }

    private let dependencies: Dependencies
    /// When the use of each key was last written down; once a minute is enough for people.
    private let recorded = Mutex<[String: Timestamp]>([:])
    private static let interval = Duration.seconds(60)

    package init(_ operations: Operations) { dependencies = operations.dependencies }

    /// Nil for what is no key of ours; why exactly is nobody's business who has none.
    package func holder(of text: some StringProtocol & Sendable) async throws(CoreError) -> Holder? {
        guard let key = KeyText(text) else { return nil }
        let found = try await record(key.id)
        guard key.matches(found), let record = found else { return nil }
        let time = dependencies.clock.now()
        let standing: Holder.Standing =
            record.isValid(at: time) ? .valid : record.revokedAt == nil ? .expired : .revoked
        if standing == .valid { await note(record.id, time) }
        var scopes = Set(record.scopes.compactMap(Scope.init(rawValue:)))
        if record.customer != nil { scopes.formIntersection(Viewer.customerScopes) }
        return Holder(
            key: record.id, name: record.name, scopes: scopes, customer: record.customer, standing: standing)
    }

    /// Whether a key holds; nil when that cannot be told now.
    package func holds(_ id: String) async -> Bool? {
        guard let record = try? await record(id) else { return nil }
        return record.isValid(at: dependencies.clock.now())
    }

    private func record(_ id: String) async throws(CoreError) -> KeyRecord? {
        do throws(StoreError) { return try await dependencies.store.key(id) } catch { throw CoreError(error) }
    }

    private func note(_ key: String, _ time: Timestamp) async {
        let isDue = recorded.withLock { recorded in
            if let last = recorded[key], time - last < Self.interval { return false }
            if recorded.count >= 10_000 { recorded.removeAll() }
            recorded[key] = time
            return true
        }
        guard isDue else { return }
        // A full disk must not lock the operator out who comes to make room: this is tried again with the next request.
        if (try? await dependencies.store.recordKeyUse([key: time])) == nil { recorded.withLock { $0[key] = nil } }
    }
}
