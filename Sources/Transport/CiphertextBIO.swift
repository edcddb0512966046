import CLibSSL
import NIOCore

/// The two buffers between libssl and the channel. libssl reads and writes them in place, without the
/// copies and the growth of memory BIOs. Both are empty, without storage, while a connection idles.
final class CiphertextBuffers {
    /// Ciphertext is handed on in pieces of about this size.
    static let chunkBytes = 1 << 16

    /// Received and not yet read by libssl.
    var inbound = ByteBuffer()
    /// Written by libssl and not yet given to the channel.
    var outbound = ByteBuffer()

    let allocator: ByteBufferAllocator

    init(allocator: ByteBufferAllocator) { self.allocator = allocator }

    func receive(_ buffer: ByteBuffer) {
        if inbound.readableBytes == 0 {
            inbound = buffer
        } else {
            inbound.writeImmutableBuffer(buffer)
        }
    }

    func takeOutbound() -> ByteBuffer? {
        guard outbound.readableBytes > 0 else { return nil }
        defer { outbound = ByteBuffer() }
        return outbound
    }

    /// Room for the records of so much plaintext, so that the buffer need not grow record by record.
    func expect(_ plaintextBytes: Int) {
        guard outbound.capacity == 0 else { return }
        outbound = allocator.buffer(capacity: min(plaintextBytes + 64, Self.chunkBytes + (17 << 10)))
    }

    fileprivate func read(into target: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(target.count, inbound.readableBytes)
        inbound.readWithUnsafeReadableBytes { source in
            target.copyMemory(from: UnsafeRawBufferPointer(rebasing: source.prefix(count)))
            return count
        }
        if inbound.readableBytes == 0 { inbound = ByteBuffer() }
        return count
    }

    fileprivate func write(_ source: UnsafeRawBufferPointer) {
        if outbound.capacity == 0 { outbound = allocator.buffer(capacity: source.count) }
        outbound.writeBytes(source)
    }
}

/// The BIO kind whose data is a `CiphertextBuffers`.
enum CiphertextBIO {
    /// A BIO over the buffers, which must outlive it.
    static func make(_ buffers: CiphertextBuffers) -> OpaquePointer? {
        guard let bio = BIO_new(method.pointer) else { return nil }
        BIO_set_data(bio, Unmanaged.passUnretained(buffers).toOpaque())
        BIO_set_init(bio, 1)
        return bio
    }

    /// Unchecked: made once, never changed, never freed.
    private struct Method: @unchecked Sendable {
        let pointer: OpaquePointer?
    }

    private static let method: Method = {
        let method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "NIO byte buffers")
        BIO_meth_set_read_ex(method) { bio, target, size, count in
            let read = CiphertextBIO.buffers(of: bio).read(
                into: UnsafeMutableRawBufferPointer(start: target, count: size))
            innkeeper_bio_clear_retry(bio)
            if read == 0 { innkeeper_bio_retry_read(bio) }
            count?.pointee = read
            return read > 0 ? 1 : 0
        }
        BIO_meth_set_write_ex(method) { bio, source, size, count in
            CiphertextBIO.buffers(of: bio).write(UnsafeRawBufferPointer(start: source, count: size))
            innkeeper_bio_clear_retry(bio)
            count?.pointee = size
            return 1
        }
        // Flushing is the handler's work; every other question is answered with "no".
        BIO_meth_set_ctrl(method) { _, command, _, _ in command == BIO_CTRL_FLUSH ? 1 : 0 }
        return Method(pointer: method)
    }()

    private static func buffers(of bio: OpaquePointer?) -> CiphertextBuffers {
        Unmanaged<CiphertextBuffers>.fromOpaque(BIO_get_data(bio)).takeUnretainedValue()
    }
}
