/// What an operator hands to a new machine: `ikt1.<id>.<secret>.<pin>`.
/// The pin authenticates the controller, the secret the machine. Only a hash of the secret is ever stored.
package struct JoinToken: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    package let id: String
    /// 32 random bytes as base64url text.
    package let secret: String
    /// SHA-256 of the authority's public key info, hexadecimal (`Certificate.publicKeyPin`).
    package let caPin: String

    /// A token with a new secret.
    /// - Parameter id: 1 to 64 letters, digits, `_` and `-`.
    package static func make(id: String, caPin: String) throws(JoinTokenError) -> JoinToken {
        try JoinToken(text: "ikt1.\(id).\(Crypto.base64url(Crypto.randomBytes(32))).\(caPin)")
    }

    package init(text: String) throws(JoinTokenError) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.first == "ikt1" else { throw JoinTokenError(problem: "it does not start with “ikt1.”") }
        guard parts.count == 4 else { throw JoinTokenError(problem: "it has \(parts.count) parts and should have 4") }
        guard (1...64).contains(parts[1].utf8.count), parts[1].utf8.allSatisfy(Self.isIDCharacter) else {
            throw JoinTokenError(problem: "its id is not 1 to 64 letters, digits, “_” and “-”")
        }
        guard Crypto.bytes(base64url: parts[2])?.count == 32 else {
            throw JoinTokenError(problem: "its secret is not 32 bytes of base64url; it may be cut off")
        }
        guard Crypto.bytes(hex: parts[3])?.count == 32 else {
            throw JoinTokenError(problem: "its pin is not 64 hexadecimal digits; it may be cut off")
        }
        (id, secret, caPin) = (String(parts[1]), String(parts[2]), parts[3].lowercased())
    }

    /// The whole token, secret included: for the operator's eyes only.
    package var text: String { "ikt1.\(id).\(secret).\(caPin)" }

    /// What the controller stores: hexadecimal SHA-256 of the secret, which has 256 random bits and needs no salt.
    package var secretHash: String { Self.hash(ofSecret: secret) }

    package static func hash(ofSecret secret: String) -> String { Crypto.hex(Crypto.sha256(secret.utf8)) }

    /// Without the secret.
    package var description: String { "join token \(id)" }
    package var customMirror: Mirror { Mirror(self, children: ["id": id]) }

    private static func isIDCharacter(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
            || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
    }
}

/// Why a text is no join token; never contains the text.
package struct JoinTokenError: Error, Sendable, Equatable, CustomStringConvertible {
    package let problem: String
    package var description: String { "this is not a join token: \(problem)" }
}
