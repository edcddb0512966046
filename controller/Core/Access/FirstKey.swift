import APIModels
import Model
package import Store

/// The key with which an operator begins.
package enum FirstKey {
    /// Makes a key that may do everything, in a store that nobody works with yet. Those of an attempt before, which was cut
    /// short, are revoked: nobody has seen them.
    package static func make(in store: Store) async throws(StoreError) -> KeyText {
        let (now, key) = (Timestamp.now(), KeyText.make())
        let record = key.record(name: "first admin key", scopes: [Scope.admin.rawValue], createdAt: now)
        let audit = AuditRecord(
            id: Identifier.make("aud"), time: now, actor: "init", action: "key.create", subject: key.id)
        try await store.atomically { (store: isolated Store) throws(StoreError) in
            for old in try store.keys().items where old.revokedAt == nil { _ = try store.revokeKey(old.id, at: now) }
            try store.insertKey(record)
            try store.audit(audit)
        }
        return key
    }
}
