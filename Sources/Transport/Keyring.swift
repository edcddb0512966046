/// The keys under which secrets lie at rest. The first one seals; all of them open, so that keys can be replaced.
///
/// Sealed text is `KEY.BODY`: the key's id, and nonce, ciphertext and tag of AES-256-GCM in base64url. It opens only in the
/// place for which it was sealed: the place is authenticated with it.
package struct Keyring: Sendable {
    fileprivate struct Key: Sendable {
        let id: String
        let bytes: [UInt8]
    }

    private var keys: [Key]

    /// A ring with one new key.
    package static func generate() -> Keyring { Keyring(keys: [Key.random()]) }

    private init(keys: [Key]) { self.keys = keys }

    /// Reads `text`.
    package init(text: String) throws(CryptoError) {
        keys = []
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 2, words[0].utf8.count == 8, let bytes = Crypto.bytes(hex: words[1]),
                bytes.count == 32,
                !keys.contains(where: { $0.id == words[0] })
            else { throw CryptoError(operation: "read the keys of secrets", reason: "a line is not ID and KEY") }
            keys.append(Key(id: String(words[0]), bytes: bytes))
        }
        guard !keys.isEmpty else { throw CryptoError(operation: "read the keys of secrets", reason: "there are none") }
    }

    /// One line a key, `ID HEX`, the one that seals first.
    package var text: String { keys.map { "\($0.id) \(Crypto.hex($0.bytes))\n" }.joined() }

    /// The id of the key that seals.
    package var current: String { keys[0].id }

    /// Whether there are keys that only open.
    package var hasOld: Bool { keys.count > 1 }

    /// With a new key in front.
    package func renewed() -> Keyring { Keyring(keys: [Key.random()] + keys) }

    /// Without the keys that only open.
    package func withoutOld() -> Keyring { Keyring(keys: Array(keys.prefix(1))) }

    /// - Parameter place: what the sealed text belongs to; it is not in the text.
    package func seal(_ clear: [UInt8], for place: [UInt8]) throws(CryptoError) -> String {
        "\(keys[0].id).\(Crypto.base64url(try AEAD.seal(clear, key: keys[0].bytes, context: place)))"
    }

    /// Fails for a key that is not on the ring, for another place, and for text that is not as it was sealed.
    package func open(_ sealed: String, for place: [UInt8]) throws(CryptoError) -> [UInt8] {
        let parts = sealed.split(separator: ".", maxSplits: 1)
        guard parts.count == 2, let body = Crypto.bytes(base64url: parts[1]) else {
            throw CryptoError(operation: "open a sealed text", reason: "it is none")
        }
        guard let key = keys.first(where: { $0.id == parts[0] }) else {
            throw CryptoError(operation: "open a sealed text", reason: "its key \(parts[0].prefix(8)) is not here")
        }
        return try AEAD.open(body, key: key.bytes, context: place)
    }
}

extension Keyring.Key {
    fileprivate static func random() -> Keyring.Key {
        Keyring.Key(id: Crypto.hex(Crypto.randomBytes(4)), bytes: Crypto.randomBytes(32))
    }
}
