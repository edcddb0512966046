import APIModels
import ControllerCore
import HTTP

/// Tells from the `Authorization` field who asks.
struct Authentication: Sendable {
    let keys: KeyCheck

    /// Throws a `Denied` with 401 for anything that is not a valid key; why exactly is nobody's business who has none.
    func caller(_ field: String?, remote: String?) async throws -> Caller {
        guard let field else { throw Denied("the request has no Authorization field") }
        let parts = field.split(separator: " ", omittingEmptySubsequences: true)
        guard parts.count == 2, parts[0].lowercased() == "bearer", KeyText(parts[1]) != nil else {
            throw Denied("Authorization must be Bearer and an API key")
        }
        guard let holder = try await keys.holder(of: parts[1]) else { throw Denied("the API key is not valid") }
        let caller = Caller(
            key: holder.key, name: holder.name, scopes: holder.scopes, customer: holder.customer, remote: remote)
        // From here on the caller has proved to hold the key, and may know what is wrong with it.
        switch holder.standing {
        case .valid: return caller
        case .revoked: throw Denied("the API key is revoked", to: caller)
        case .expired: throw Denied("the API key has expired", to: caller)
        }
    }
}
