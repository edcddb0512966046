import CLibSSL

/// Hashes, random bytes and password derivation from the system's libcrypto.
package enum Crypto {
    /// SHA-256, 32 bytes.
    package static func sha256(_ bytes: some Collection<UInt8>) -> [UInt8] {
        contiguous(bytes) { input in
            output(32) { digest in EVP_Digest(input.baseAddress, input.count, digest, nil, EVP_sha256(), nil) == 1 }
        }
    }

    /// HMAC with SHA-256, 32 bytes.
    package static func hmacSHA256(key: [UInt8], _ bytes: some Collection<UInt8>) -> [UInt8] {
        contiguous(bytes) { input in
            output(32) { code in
                HMAC(
                    EVP_sha256(), key, Int32(key.count), input.bindMemory(to: UInt8.self).baseAddress, input.count,
                    code, nil) != nil
            }
        }
    }

    /// Bytes fit for keys and tokens.
    package static func randomBytes(_ count: Int) -> [UInt8] {
        output(count) { bytes in RAND_bytes(bytes, Int32(count)) == 1 }
    }

    /// Compares in a time that depends on the lengths only.
    package static func constantTimeEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        left.count == right.count && CRYPTO_memcmp(left, right, left.count) == 0
    }

    /// scrypt (RFC 7914). It takes `128 * n * r` bytes of memory and a lot of time: call it off the event loop.
    /// - Parameter n: cost, a power of two above 1.
    package static func scrypt(
        password: [UInt8], salt: [UInt8], n: UInt64 = 1 << 15, r: UInt64 = 8, p: UInt64 = 1, count: Int = 32
    ) throws(CryptoError) -> [UInt8] {
        var key = [UInt8](repeating: 0, count: count)
        let memory = 128 &* n &* r &+ 128 &* r &* p &+ (1 << 20)
        let done = password.withUnsafeBytes { password in
            EVP_PBE_scrypt(
                password.bindMemory(to: CChar.self).baseAddress, password.count, salt, salt.count, n, r, p, memory,
                &key, count)
        }
        guard done == 1 else { throw .fromLibrary("derive a key with scrypt") }
        return key
    }

    private static func contiguous<Result>(
        _ bytes: some Collection<UInt8>, _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        bytes.withContiguousStorageIfAvailable { body(UnsafeRawBufferPointer($0)) }
            ?? Array(bytes).withUnsafeBytes(body)
    }

    /// These calls fail only when the machine is out of memory or entropy; going on with zeroes would be worse.
    private static func output(_ count: Int, _ fill: (UnsafeMutablePointer<UInt8>?) -> Bool) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            precondition(fill(buffer.baseAddress), LibraryErrors.drain() ?? "libcrypto failed")
            initialized = count
        }
    }
}
