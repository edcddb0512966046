package import NIOCore

extension TLSHandler {
    package func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        switch mode {
        case .all: closeAll(context, promise)
        case .output: closeOutput(context, promise)
        case .input:
            promise?.fail(ChannelError.operationUnsupported)
        }
    }

    /// Reports the error, tells the peer by the alert that libssl prepared, and closes.
    func fail(_ error: TLSError, _ context: ChannelHandlerContext) {
        guard phase != .closing, phase != .closed else { return }
        if phase != .open { handshakePromise?.fail(error) }
        phase = .closing
        failPending(error)
        let alert = engine?.buffers.takeOutbound()
        engine = nil
        // First, since closing may tell the pipeline at once that the channel is inactive.
        context.fireErrorCaught(error)
        guard phase == .closing else { return }
        if let alert {
            lingerAfter(alert, context)
        } else {
            closeTransport(context)
        }
    }

    func closeTransport(_ context: ChannelHandlerContext) {
        guard phase != .closed else { return }
        phase = .closed
        timer?.cancel()
        timer = nil
        let promise = closePromise
        closePromise = nil
        context.close(mode: .all, promise: promise)
    }

    /// The peer has ended its side while we are closing: all that is left is to get our own last bytes out.
    func closeWhenSaid(_ context: ChannelHandlerContext) {
        if lastWordsWritten { closeTransport(context) }
    }

    private func closeAll(_ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        switch phase {
        case .idle, .handshaking:
            handshakePromise?.fail(TLSError.closedDuringHandshake)
            phase = .closing
            joinClose(promise, context)
            failPending(ChannelError.ioOnClosedChannel)
            closeTransport(context)
        case .open:
            joinClose(promise, context)
            phase = .closing
            failPending(ChannelError.ioOnClosedChannel)
            if !outputEnded { engine?.shutdown() }
            outputEnded = true
            lingerAfter(engine?.buffers.takeOutbound(), context)
        case .closing: joinClose(promise, context)
        case .closed: context.close(mode: .all, promise: promise)
        }
    }

    private func closeOutput(_ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        guard phase == .open, !outputEnded else {
            promise?.fail(ChannelError.outputClosed)
            return
        }
        guard !inputEnded else { return closeAll(context, promise) }
        outputEnded = true
        failPending(ChannelError.outputClosed)
        engine?.shutdown()
        flushOutbound(context, promise: promise)
    }

    private func joinClose(_ promise: EventLoopPromise<Void>?, _ context: ChannelHandlerContext) {
        guard let promise else { return }
        if let closePromise {
            closePromise.futureResult.cascade(to: promise)
        } else {
            closePromise = promise
        }
    }

    /// Closing a socket that still has unread bytes resets the connection, and the peer may then lose our last
    /// words: so we end our side, and close when the peer has ended its own or time is up.
    private func lingerAfter(_ lastWords: ByteBuffer?, _ context: ChannelHandlerContext) {
        arm(self.context.limits.close, context) { handler, context in handler.closeTransport(context) }
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { [self] result in
            guard phase == .closing else { return }
            lastWordsWritten = true
            guard case .success = result, !inputEnded, !transportEnded else { return closeTransport(context) }
            context.close(mode: .output, promise: nil)
            context.read()
        }
        context.writeAndFlush(wrapOutboundOut(lastWords ?? ByteBuffer()), promise: written)
    }
}
