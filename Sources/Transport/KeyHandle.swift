import CLibSSL

/// A counted reference to a key of libcrypto.
/// Unchecked: the library counts references atomically, and a finished key is never changed.
final class KeyHandle: @unchecked Sendable {
    let pointer: OpaquePointer

    /// Takes over the caller's reference.
    init(_ pointer: OpaquePointer) { self.pointer = pointer }

    deinit { EVP_PKEY_free(pointer) }

    var isP256: Bool { isEllipticCurve(["prime256v1"]) }

    /// What an authority of the public signs for: ECDSA on the curves of the web, Ed25519, or RSA that is long enough.
    var isOfPublicUse: Bool {
        switch EVP_PKEY_get_base_id(pointer) {
        case EVP_PKEY_RSA: EVP_PKEY_get_bits(pointer) >= 2048
        case EVP_PKEY_ED25519: true
        default: isEllipticCurve(["prime256v1", "secp384r1", "secp521r1"])
        }
    }

    private func isEllipticCurve(_ names: [String]) -> Bool {
        guard EVP_PKEY_get_base_id(pointer) == EVP_PKEY_EC else { return false }
        var name = [CChar](repeating: 0, count: 64)
        var length = 0
        guard EVP_PKEY_get_group_name(pointer, &name, name.count, &length) == 1 else { return false }
        let curve = name.prefix(length).map(UInt8.init(bitPattern:))
        return names.contains { Array($0.utf8) == curve }
    }
}
