package import Model

extension Store {
    package func insertKey(_ key: KeyRecord) throws(StoreError) {
        try transaction { () throws(StoreError) in
            try insert(key)
            note(.key, key.id)
        }
    }

    /// Also a revoked or expired one: the caller decides, so that it can say why.
    package func key(_ id: String) throws(StoreError) -> KeyRecord? {
        try first(KeyRecord.self, "WHERE id = ?", [id])
    }

    package func keys(page request: PageRequest = PageRequest()) throws(StoreError) -> Page<KeyRecord> {
        try page(KeyRecord.self, Conditions(), request, cursor: \.id)
    }

    /// The keys that bear a name, at most 500.
    package func keys(named name: String) throws(StoreError) -> [KeyRecord] {
        try select(KeyRecord.self, "WHERE name = ? ORDER BY id LIMIT 500", [name])
    }

    /// When keys were used, many in one commit.
    package func recordKeyUse(_ times: [String: Timestamp]) throws(StoreError) {
        try transaction { () throws(StoreError) in
            for (key, time) in times { try run("UPDATE api_keys SET last_used_at = ? WHERE id = ?", [time, key]) }
        }
    }

    /// False when it was revoked before.
    package func revokeKey(_ id: String, at time: Timestamp) throws(StoreError) -> Bool {
        try transaction { () throws(StoreError) in
            guard try key(id) != nil else { throw .notFound(kind: "key", id: id) }
            let sql = "UPDATE api_keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL"
            let changed = try run(sql, [time, id]) > 0
            if changed { note(.key, id) }
            return changed
        }
    }
}
