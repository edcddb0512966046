package import NIOCore

/// Plaintext that waits for `flush`, or for the end of the handshake.
struct PendingWrite {
    let plaintext: ByteBuffer
    let promise: EventLoopPromise<Void>?
}

extension TLSHandler {
    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard phase != .closing, phase != .closed else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        guard !outputEnded else {
            promise?.fail(ChannelError.outputClosed)
            return
        }
        let plaintext = unwrapOutboundIn(data)
        pending.append(PendingWrite(plaintext: plaintext, promise: promise))
        wroteSincePeerEnded = true
        guard phase != .open else { return }
        earlyBytes += plaintext.readableBytes
        let limit = self.context.limits.earlyWriteBytes
        if earlyBytes > limit { fail(.earlyWriteLimit(limit), context) }
    }

    package func flush(context: ChannelHandlerContext) {
        pending.mark()
        encryptFlushed(context)
    }

    func encryptFlushed(_ context: ChannelHandlerContext) {
        guard phase == .open, pending.hasMark, let engine else { return }
        var batch = WriteBatch(allocator: context.channel.allocator)
        while pending.hasMark, let next = pending.popFirst() {
            batch.promises += next.promise.map { [$0] } ?? []
            let failure = batch.encrypt(next.plaintext, with: engine, isLast: !pending.hasMark) { chunk in
                context.write(wrapOutboundOut(chunk), promise: nil)
            }
            guard let failure else { continue }
            batch.promises.forEach { $0.fail(failure) }
            return fail(failure, context)
        }
        let last = engine.buffers.takeOutbound() ?? ByteBuffer()
        context.writeAndFlush(wrapOutboundOut(last), promise: batch.promise(on: context.eventLoop))
    }

    func flushOutbound(_ context: ChannelHandlerContext, promise: EventLoopPromise<Void>? = nil) {
        if let ciphertext = engine?.buffers.takeOutbound() {
            context.writeAndFlush(wrapOutboundOut(ciphertext), promise: promise)
        } else {
            promise?.succeed()
        }
    }

    func failPending(_ error: any Error) {
        while let write = pending.popFirst() { write.promise?.fail(error) }
    }
}

/// The writes of one flush. Small ones share records, and all share one promise of the channel.
private struct WriteBatch {
    /// A full TLS record's plaintext.
    private static let recordBytes = 1 << 14

    let allocator: ByteBufferAllocator
    var promises: [EventLoopPromise<Void>] = []
    private var gathered = ByteBuffer()

    init(allocator: ByteBufferAllocator) { self.allocator = allocator }

    mutating func encrypt(
        _ plaintext: ByteBuffer, with engine: TLSEngine, isLast: Bool, emit: (ByteBuffer) -> Void
    ) -> TLSError? {
        if gathered.readableBytes + plaintext.readableBytes > Self.recordBytes,
            let failure = flush(engine, emit)
        {
            return failure
        }
        let fits = plaintext.readableBytes < Self.recordBytes
        guard fits, !(isLast && gathered.readableBytes == 0) else { return engine.write(plaintext, emit: emit) }
        if gathered.capacity == 0 { gathered = allocator.buffer(capacity: Self.recordBytes) }
        gathered.writeImmutableBuffer(plaintext)
        return isLast ? flush(engine, emit) : nil
    }

    func promise(on eventLoop: any EventLoop) -> EventLoopPromise<Void>? {
        guard promises.count > 1 else { return promises.first }
        let shared = eventLoop.makePromise(of: Void.self)
        shared.futureResult.whenComplete { [promises] result in
            for promise in promises { promise.completeWith(result) }
        }
        return shared
    }

    private mutating func flush(_ engine: TLSEngine, _ emit: (ByteBuffer) -> Void) -> TLSError? {
        defer { gathered.clear() }
        return engine.write(gathered, emit: emit)
    }
}
