package import Model
package import Store
import Transport

/// The text of an API key: `ikk1.<id>.<secret>`. The secret has 256 random bits, so a plain hash of it is as good as a
/// slow one.
package struct KeyText: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
    package let id: String
    private let secret: String

    /// A key with a new secret.
    package static func make() -> KeyText {
        KeyText(id: Identifier.make("key"), secret: Crypto.base64url(Crypto.randomBytes(32)))
    }

    private init(id: String, secret: String) {
        self.id = id
        self.secret = secret
    }

    /// Nil when it is not of that form.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "ikk1", (1...64).contains(parts[1].utf8.count), parts[2].utf8.count == 43
        else { return nil }
        self.init(id: String(parts[1]), secret: String(parts[2]))
    }

    /// The whole key: shown once, never stored.
    package var text: String { "ikk1.\(id).\(secret)" }

    /// What is stored: the hexadecimal SHA-256 of the secret.
    package var hash: String { Crypto.hex(Crypto.sha256(secret.utf8)) }

    /// Whether this is the key that `record` is about; takes the same time whatever is wrong.
    func matches(_ record: KeyRecord?) -> Bool {
        let stored = record?.hash ?? Self.nobody
        return Crypto.constantTimeEqual(Array(hash.utf8), Array(stored.utf8)) && record != nil
    }

    /// The record of this key.
    package func record(
        name: String, scopes: [String], customer: String? = nil, createdAt: Timestamp, expiresAt: Timestamp? = nil
    ) -> KeyRecord {
        KeyRecord(
            id: id, name: name, hash: hash, scopes: scopes,
            role: customer != nil ? "customer" : scopes.contains("admin") ? "admin" : "operator",
            customer: customer, expiresAt: expiresAt, createdAt: createdAt)
    }

    private static let nobody = String(repeating: "0", count: 64)

    package var description: String { "API key \(id)" }
    package var customMirror: Mirror { Mirror(self, children: ["id": id]) }
}
