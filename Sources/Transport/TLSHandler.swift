package import NIOCore

/// TLS for one channel, first in its pipeline: ciphertext outside, plaintext inside, both as `ByteBuffer`.
///
/// - `TLSHandshakeCompleted` is fired when the peer is known; what is written earlier waits for it.
/// - `ChannelEvent.inputClosed` is fired at the peer's close_notify. The application may still answer;
///   it must then close the channel itself.
/// - An end of stream without close_notify is the error `TLSError.truncated`.
/// - Nothing is delivered while the pipeline withholds `read()`.
///
/// Not Sendable: it lives on its channel's event loop.
package final class TLSHandler: ChannelDuplexHandler {
    package typealias InboundIn = ByteBuffer
    package typealias InboundOut = ByteBuffer
    package typealias OutboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    enum Phase {
        case idle, handshaking, open
        /// Our end is said or being said; what still comes is thrown away.
        case closing
        case closed
    }

    let context: TLSContext
    let gate: ConnectionGate?
    let handshakePromise: EventLoopPromise<TLSHandshakeCompleted>?
    var phase = Phase.idle
    var engine: TLSEngine?
    var admission: ConnectionGate.Admission?
    /// The one time limit that runs: handshake, proof, half-closed or close.
    var timer: Scheduled<Void>?

    // Reading
    /// The pipeline asked for data and got none yet.
    var demand = false
    var delivered = false
    /// Answers to the peer's key updates pile up because it does not read: then we do not read either.
    var repliesWait = false
    /// The peer's close_notify was seen.
    var inputEnded = false
    /// The peer's TCP end was seen.
    var transportEnded = false

    // Writing
    var pending = MarkedCircularBuffer<PendingWrite>(initialCapacity: 2)
    var earlyBytes = 0
    var wroteSincePeerEnded = false
    /// Our close_notify was sent.
    var outputEnded = false
    /// The channel took our last bytes; set while closing.
    var lastWordsWritten = false
    var closePromise: EventLoopPromise<Void>?

    /// - Parameters:
    ///   - gate: counts this connection until its peer has proved who it is. Servers.
    ///   - handshakePromise: told of the end of the handshake, or why there was none.
    package init(
        context: TLSContext, gate: ConnectionGate? = nil,
        handshakePromise: EventLoopPromise<TLSHandshakeCompleted>? = nil
    ) {
        self.context = context
        self.gate = gate
        self.handshakePromise = handshakePromise
    }

    package func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { begin(context) }
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        end(with: .closedDuringHandshake)
    }

    package func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        begin(context)
    }

    package func channelInactive(context: ChannelHandlerContext) {
        transportEnded = true
        if phase == .open {
            demand = true
            decrypt(context)
        } else if phase == .handshaking {
            context.fireErrorCaught(TLSError.closedDuringHandshake)
        }
        end(with: .closedDuringHandshake)
        context.fireChannelInactive()
    }

    package func triggerUserOutboundEvent(
        context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?
    ) {
        guard event is PeerProved else { return context.triggerUserOutboundEvent(event, promise: promise) }
        if phase == .open, let admission {
            admission.release()
            self.admission = nil
            timer?.cancel()
            timer = nil
            if inputEnded { watchHalfClosed(context) }
        }
        promise?.succeed()
    }

    private func begin(_ context: ChannelHandlerContext) {
        guard phase == .idle else { return }
        if let gate { admission = admit(to: gate, context) }
        do {
            engine = try TLSEngine(context: self.context, allocator: context.channel.allocator)
        } catch {
            return fail(error, context)
        }
        phase = .handshaking
        // The end of the peer's stream must be told from the end of the connection, to see truncation and to answer.
        try? context.channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: true)
        arm(self.context.limits.handshake, context) { $0.fail(.timedOut, $1) }
        advanceHandshake(context)
        context.read()
    }

    private func admit(to gate: ConnectionGate, _ context: ChannelHandlerContext) -> ConnectionGate.Admission {
        let (eventLoop, bound) = (context.eventLoop, NIOLoopBound((self, context), eventLoop: context.eventLoop))
        return gate.admit(context.remoteAddress) {
            eventLoop.execute {
                let (handler, context) = bound.value
                // It may have proved who it is in the same moment.
                if handler.admission != nil { handler.fail(.crowded, context) }
            }
        }
    }

    func advanceHandshake(_ context: ChannelHandlerContext) {
        guard phase == .handshaking, let engine else { return }
        switch engine.handshake() {
        case .wantsInput: flushOutbound(context)
        case .done: completeHandshake(engine, context)
        case .failed(let error):
            engine.forgetSession()
            fail(error, context)
        case .ended: fail(.closedDuringHandshake, context)
        }
    }

    private func completeHandshake(_ engine: TLSEngine, _ context: ChannelHandlerContext) {
        let outcome: TLSHandshakeCompleted
        do { outcome = try engine.outcome() } catch { return fail(error, context) }
        phase = .open
        timer?.cancel()
        timer = nil
        if outcome.peer != nil {
            admission = nil
        } else if admission != nil {
            arm(self.context.limits.proof, context) { $0.fail(.timedOut, $1) }
        }
        flushOutbound(context)
        context.fireUserInboundEventTriggered(outcome)
        handshakePromise?.succeed(outcome)
        encryptFlushed(context)
    }

    func arm(
        _ limit: Duration, _ context: ChannelHandlerContext,
        _ action: @escaping (TLSHandler, ChannelHandlerContext) -> Void
    ) {
        timer?.cancel()
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(limit)) { [weak self] in
            guard let self, self.phase != .closed else { return }
            action(self, context)
        }
    }

    /// Lets go of everything; idempotent.
    private func end(with error: TLSError) {
        if phase == .idle || phase == .handshaking { handshakePromise?.fail(error) }
        phase = .closed
        timer?.cancel()
        timer = nil
        admission = nil
        engine = nil
        closePromise?.succeed()
        closePromise = nil
        failPending(ChannelError.ioOnClosedChannel)
    }
}

@available(*, unavailable)
extension TLSHandler: Sendable {}
