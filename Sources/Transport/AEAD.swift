import CLibSSL

/// AES-256 in GCM: nobody without the key reads a sealed text, changes it, or moves it to another context.
enum AEAD {
    private static let nonceLength = 12
    private static let tagLength = 16

    /// Nonce, ciphertext, tag. The nonce is random: one key seals some thousand million texts before that is a risk.
    static func seal(_ clear: [UInt8], key: [UInt8], context: [UInt8]) throws(CryptoError) -> [UInt8] {
        let nonce = Crypto.randomBytes(nonceLength)
        return try cipher(key, nonce, "seal a text") { cipher in
            guard EVP_EncryptInit_ex(cipher, EVP_aes_256_gcm(), nil, key, nonce) == 1 else { return nil }
            var (count, last) = (Int32(0), Int32(0))
            guard EVP_EncryptUpdate(cipher, nil, &count, context, Int32(context.count)) == 1 else { return nil }
            var sealed = [UInt8](repeating: 0, count: clear.count + tagLength)
            guard EVP_EncryptUpdate(cipher, &sealed, &count, clear, Int32(clear.count)) == 1,
                EVP_EncryptFinal_ex(cipher, &sealed, &last) == 1, Int(count + last) == clear.count
            else { return nil }
            var tag = [UInt8](repeating: 0, count: tagLength)
            guard EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, Int32(tagLength), &tag) == 1 else { return nil }
            return nonce + sealed.prefix(clear.count) + tag
        }
    }

    static func open(_ sealed: [UInt8], key: [UInt8], context: [UInt8]) throws(CryptoError) -> [UInt8] {
        guard sealed.count >= nonceLength + tagLength else { throw notAsSealed }
        let nonce = Array(sealed.prefix(nonceLength))
        let body = Array(sealed[nonceLength..<(sealed.count - tagLength)])
        var tag = Array(sealed.suffix(tagLength))
        var isWhole = false
        let clear = try cipher(key, nonce, "open a sealed text") { cipher in
            guard EVP_DecryptInit_ex(cipher, EVP_aes_256_gcm(), nil, key, nonce) == 1 else { return nil }
            var (count, last) = (Int32(0), Int32(0))
            guard EVP_DecryptUpdate(cipher, nil, &count, context, Int32(context.count)) == 1 else { return nil }
            var clear = [UInt8](repeating: 0, count: body.count + tagLength)
            guard EVP_DecryptUpdate(cipher, &clear, &count, body, Int32(body.count)) == 1,
                EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, Int32(tagLength), &tag) == 1
            else { return nil }
            var end = [UInt8](repeating: 0, count: tagLength)
            isWhole = EVP_DecryptFinal_ex(cipher, &end, &last) == 1
            return Array(clear.prefix(body.count))
        }
        // A wrong key, place or byte shows only at the end: what was read until then must not get out.
        guard isWhole else { throw notAsSealed }
        return clear
    }

    private static var notAsSealed: CryptoError {
        CryptoError(operation: "open a sealed text", reason: "it is not as it was sealed, or not for this place")
    }

    private static func cipher(
        _ key: [UInt8], _ nonce: [UInt8], _ operation: String, _ body: (OpaquePointer) -> [UInt8]?
    ) throws(CryptoError) -> [UInt8] {
        precondition(key.count == 32 && nonce.count == nonceLength)
        guard let cipher = EVP_CIPHER_CTX_new() else { throw .fromLibrary(operation) }
        defer { EVP_CIPHER_CTX_free(cipher) }
        guard let result = body(cipher) else { throw .fromLibrary(operation) }
        return result
    }
}
