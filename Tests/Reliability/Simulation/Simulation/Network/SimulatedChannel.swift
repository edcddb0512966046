import NIOCore

/// One end of a connection, as the handlers of agent and controller see it.
final class SimulatedChannel: Channel, ChannelCore, @unchecked Sendable {
    // Unchecked: one thread.
    private static let highWater = 64 << 10

    let eventLoop: any EventLoop
    let allocator = ByteBufferAllocator()
    let closeFuture: EventLoopFuture<Void>
    let remoteAddress: SocketAddress?
    let localAddress: SocketAddress? = nil
    let parent: (any Channel)? = nil
    private var ownPipeline: ChannelPipeline?
    private(set) var isActive = false
    private(set) var isClosed = false
    /// The wire: takes what is flushed.
    weak var connection: Connection?

    private let loop: SimulatedLoop
    private let closePromise: EventLoopPromise<Void>
    private var written: [(ByteBuffer, EventLoopPromise<Void>?)] = []
    /// Bytes on the wire that the other side has not taken.
    private(set) var inFlight = 0
    private var isReading = true
    private var arrived: [ByteBuffer] = []
    private var hasEnded = false

    init(on loop: SimulatedLoop, remote: String) {
        (self.loop, eventLoop) = (loop, loop)
        closePromise = loop.makePromise()
        closeFuture = closePromise.futureResult
        remoteAddress = try? SocketAddress(ipAddress: remote, port: 1)
        ownPipeline = ChannelPipeline(channel: self)
    }

    var pipeline: ChannelPipeline {
        guard let ownPipeline else { fatalError("a channel without a pipeline") }
        return ownPipeline
    }
    var isWritable: Bool { inFlight < Self.highWater }
    var _channelCore: any ChannelCore { self }

    func open() {
        isActive = true
        pipeline.fireChannelRegistered()
        pipeline.fireChannelActive()
    }

    // MARK: what the other side does; on the loop

    func receive(_ bytes: [UInt8]) {
        guard isActive else { return }
        arrived.append(ByteBuffer(bytes: bytes))
        drain()
    }

    func receiveEnd() {
        hasEnded = true
        drain()
    }

    private func drain() {
        while isReading, isActive, !arrived.isEmpty {
            let buffer = arrived.removeFirst()
            connection?.taken(buffer.readableBytes, by: self)
            pipeline.fireChannelRead(buffer)
            pipeline.fireChannelReadComplete()
        }
        if hasEnded, arrived.isEmpty, isActive { end() }
    }

    func acknowledged(_ count: Int) {
        let before = isWritable
        inFlight -= count
        if !before, isWritable, isActive { pipeline.fireChannelWritabilityChanged() }
    }

    // MARK: what the handlers do

    func write0(_ data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard isActive else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        written.append((unwrapData(data, as: ByteBuffer.self), promise))
    }

    func flush0() {
        let parts = written
        written = []
        for (buffer, promise) in parts {
            let before = isWritable
            inFlight += buffer.readableBytes
            connection?.carry(Array(buffer.readableBytesView), from: self)
            promise?.succeed(())
            if before, !isWritable { pipeline.fireChannelWritabilityChanged() }
        }
    }

    func close0(error: any Error, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard !isClosed else {
            promise?.fail(ChannelError.alreadyClosed)
            return
        }
        flush0()
        connection?.closed(by: self)
        end()
        promise?.succeed(())
    }

    private func end() {
        guard !isClosed else { return }
        (isActive, isClosed) = (false, true)
        for (_, promise) in written { promise?.fail(ChannelError.ioOnClosedChannel) }
        written = []
        pipeline.fireChannelInactive()
        pipeline.fireChannelUnregistered()
        loop.execute { [self] in
            removeHandlers(pipeline: pipeline)
            closePromise.succeed(())
        }
    }

    func read0() {
        guard !isReading else { return }
        loop.execute { [self] in drain() }
    }

    func setOption<Option: ChannelOption>(_ option: Option, value: Option.Value) -> EventLoopFuture<Void> {
        guard option is ChannelOptions.Types.AutoReadOption, let on = value as? Bool else {
            return loop.makeSucceededVoidFuture()
        }
        if loop.inEventLoop {
            setReading(on)
            return loop.makeSucceededVoidFuture()
        }
        return loop.submit { [self] in setReading(on) }
    }

    private func setReading(_ on: Bool) {
        isReading = on
        if on { loop.execute { [self] in drain() } }
    }

    func getOption<Option: ChannelOption>(_ option: Option) -> EventLoopFuture<Option.Value> {
        loop.makeFailedFuture(ChannelError.operationUnsupported)
    }

    // MARK: what does not come up

    func localAddress0() throws -> SocketAddress { throw ChannelError.operationUnsupported }
    func remoteAddress0() throws -> SocketAddress { throw ChannelError.operationUnsupported }
    func register0(promise: EventLoopPromise<Void>?) { promise?.succeed(()) }
    func registerAlreadyConfigured0(promise: EventLoopPromise<Void>?) { promise?.succeed(()) }
    func bind0(to: SocketAddress, promise: EventLoopPromise<Void>?) {
        promise?.fail(ChannelError.operationUnsupported)
    }
    func connect0(to: SocketAddress, promise: EventLoopPromise<Void>?) {
        promise?.fail(ChannelError.operationUnsupported)
    }
    func triggerUserOutboundEvent0(_ event: Any, promise: EventLoopPromise<Void>?) { promise?.succeed(()) }
    func channelRead0(_ data: NIOAny) {}
    func errorCaught0(error: any Error) {}
}
