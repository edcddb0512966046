import APIModels
import HTTP
import Model
import Store
import Synchronization

/// Tells from the `Authorization` field who asks.
final class Authentication: Sendable {
    private let store: Store
    private let now: @Sendable () -> Timestamp
    /// When the use of each key was last written down; once a minute is enough for people.
    private let recorded = Mutex<[String: Timestamp]>([:])
    private static let interval = Duration.seconds(60)

    init(store: Store, now: @escaping @Sendable () -> Timestamp) {
        self.store = store
        self.now = now
    }

    /// Throws a `Denied` with 401 for anything that is not a valid key; why exactly is nobody's business who has none.
    func caller(_ field: String?, remote: String?) async throws -> Caller {
        guard let field else { throw Denied("the request has no Authorization field") }
        let parts = field.split(separator: " ", omittingEmptySubsequences: true)
        guard parts.count == 2, parts[0].lowercased() == "bearer", let key = KeyText(parts[1]) else {
            throw Denied("Authorization must be Bearer and an API key")
        }
        let record = try await store.key(key.id)
        guard key.matches(record), let record else { throw Denied("the API key is not valid") }
        let time = now()
        let caller = Caller(
            key: record.id, name: record.name, scopes: Set(record.scopes.compactMap(Scope.init(rawValue:))),
            remote: remote)
        // From here on the caller has proved to hold the key, and may know what is wrong with it.
        guard record.revokedAt == nil else { throw Denied("the API key is revoked", to: caller) }
        guard record.isValid(at: time) else { throw Denied("the API key has expired", to: caller) }
        // A key bound to one customer is for doors that know customers; these do not.
        guard record.customer == nil else {
            throw Denied(Problem(.forbidden, "the API key is bound to one customer"), to: caller)
        }
        await note(record.id, time)
        return caller
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
        if (try? await store.recordKeyUse([key: time])) == nil { recorded.withLock { $0[key] = nil } }
    }
}
