package import Model

extension Store {
    package func insertToken(_ token: TokenRecord) throws(StoreError) {
        try transaction { () throws(StoreError) in
            try insert(token)
            note(.token, token.id)
        }
    }

    package func token(_ id: String) throws(StoreError) -> TokenRecord? {
        try first(TokenRecord.self, "WHERE id = ?", [id])
    }

    package func tokens(page request: PageRequest = PageRequest()) throws(StoreError) -> Page<TokenRecord> {
        try page(TokenRecord.self, Conditions(), request, cursor: \.id)
    }

    /// Takes one use of the token. `matches` gets the stored hash of the secret and compares in constant time; a wrong
    /// secret is `unknown`, as is a token that never was.
    package func redeemToken(
        _ id: String, at time: Timestamp, matches: @Sendable (String) -> Bool
    ) throws(StoreError) -> TokenRecord {
        try transaction { () throws(StoreError) in
            guard var token = try token(id), matches(token.secretHash) else { throw .token(.unknown) }
            if token.revokedAt != nil { throw .token(.revoked) }
            if token.expiresAt <= time { throw .token(.expired) }
            if token.usesLeft < 1 { throw .token(.usedUp) }
            token.usesLeft -= 1
            try overwrite(token)
            note(.token, id)
            return token
        }
    }

    /// False when it was revoked before.
    package func revokeToken(_ id: String, at time: Timestamp) throws(StoreError) -> Bool {
        try transaction { () throws(StoreError) in
            guard try token(id) != nil else { throw .notFound(kind: "token", id: id) }
            let sql = "UPDATE tokens SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL"
            let changed = try run(sql, [time, id]) > 0
            if changed { note(.token, id) }
            return changed
        }
    }
}
