import CLibSSL

/// PEM text through memory BIOs.
enum PEM {
    /// Far above any key, certificate or request of ours; what a peer sends is parsed only up to here.
    static let maximumBytes = 64 << 10

    /// What `write` puts into a memory BIO, or nil when it returns anything but 1.
    static func text(_ write: (OpaquePointer) -> Int32) -> String? {
        guard let bio = BIO_new(BIO_s_mem()) else { return nil }
        defer { BIO_free(bio) }
        guard write(bio) == 1 else { return nil }
        var bytes: UnsafePointer<CChar>?
        let count = innkeeper_bio_memory(bio, &bytes)
        return String(decoding: UnsafeRawBufferPointer(start: bytes, count: count), as: UTF8.self)
    }

    /// The objects that `next` reads out of the text, until it finds no more.
    static func objects(
        in text: String, what: String, atMost limit: Int, _ next: (OpaquePointer) -> OpaquePointer?
    ) throws(CryptoError) -> [OpaquePointer] {
        let bytes = Array(text.utf8)
        guard bytes.count <= maximumBytes else {
            throw CryptoError(operation: "read the \(what)", reason: "longer than \(maximumBytes) bytes")
        }
        LibraryErrors.clear()
        let found = bytes.withUnsafeBytes { read($0, atMost: limit, next) }
        guard !found.isEmpty else { throw .fromLibrary("read the \(what)") }
        LibraryErrors.clear()
        return found
    }

    /// A memory BIO reads where the text lies: the text must outlive it.
    private static func read(
        _ text: UnsafeRawBufferPointer, atMost limit: Int, _ next: (OpaquePointer) -> OpaquePointer?
    ) -> [OpaquePointer] {
        guard let bio = BIO_new_mem_buf(text.baseAddress, Int32(text.count)) else { return [] }
        defer { BIO_free(bio) }
        var found: [OpaquePointer] = []
        while found.count < limit, let object = next(bio) { found.append(object) }
        return found
    }
}
