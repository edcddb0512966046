import CLibSSL

/// A counted reference to a key of libcrypto.
/// Unchecked: the library counts references atomically, and a finished key is never changed.
final class KeyHandle: @unchecked Sendable {
    let pointer: OpaquePointer

    /// Takes over the caller's reference.
    init(_ pointer: OpaquePointer) { self.pointer = pointer }

    deinit { EVP_PKEY_free(pointer) }

    var isP256: Bool {
        guard EVP_PKEY_get_base_id(pointer) == EVP_PKEY_EC else { return false }
        var name = [CChar](repeating: 0, count: 64)
        var length = 0
        guard EVP_PKEY_get_group_name(pointer, &name, name.count, &length) == 1 else { return false }
        return name.prefix(length).map(UInt8.init(bitPattern:)) == Array("prime256v1".utf8)
    }
}
