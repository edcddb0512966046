package import NIOCore

extension TLSHandler {
    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // After a failure there is no engine, and after close_notify nothing may come: it is thrown away.
        guard let engine, !inputEnded else { return }
        engine.buffers.receive(unwrapInboundIn(data))
        advanceHandshake(context)
        decrypt(context)
    }

    package func channelReadComplete(context: ChannelHandlerContext) {
        if delivered {
            (delivered, demand) = (false, false)
            context.fireChannelReadComplete()
        } else if phase == .open {
            // A whole read brought no plaintext: whoever asked is still waiting.
            context.fireChannelReadComplete()
            if demand { pull(context) }
        } else if phase != .closed {
            context.read()
        }
    }

    package func read(context: ChannelHandlerContext) {
        guard phase == .open else { return readEarly(context) }
        demand = true
        if engine?.buffers.inbound.readableBytes ?? 0 > 0 {
            decrypt(context)
            if delivered { channelReadComplete(context: context) }
        }
        // Also after a delivery from what was held: with autoRead nobody would ask the socket again.
        pull(context)
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let event = event as? ChannelEvent, event == .inputClosed else {
            return context.fireUserInboundEventTriggered(event)
        }
        transportEnded = true
        switch phase {
        case .idle, .handshaking: fail(.closedDuringHandshake, context)
        case .open: decrypt(context)
        case .closing: closeWhenSaid(context)
        case .closed: break
        }
    }

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable, repliesWait {
            repliesWait = false
            if demand { context.read() }
        }
        context.fireChannelWritabilityChanged()
    }

    /// Delivers what can be read, as far as the pipeline asked for it.
    func decrypt(_ context: ChannelHandlerContext) {
        reading: while let engine {
            guard phase == .closing || (phase == .open && demand && !inputEnded) else { break }
            var plaintext = context.channel.allocator.buffer(
                capacity: min(max(engine.buffers.inbound.readableBytes, 512), 1 << 16))
            let step = engine.read(into: &plaintext)
            if phase == .open, plaintext.readableBytes > 0 {
                delivered = true
                context.fireChannelRead(wrapInboundOut(plaintext))
            }
            switch step {
            case .done: continue
            case .wantsInput: break reading
            case .ended:
                peerEnded(context)
                break reading
            case .failed(let error):
                fail(error, context)
                break reading
            }
        }
        flushReplies(context)
        noticeTruncation(context)
    }

    private func readEarly(_ context: ChannelHandlerContext) {
        demand = true
        if phase != .closed { context.read() }
    }

    private func pull(_ context: ChannelHandlerContext) {
        if !repliesWait, phase == .open { context.read() }
    }

    private func peerEnded(_ context: ChannelHandlerContext) {
        guard !inputEnded else { return }
        inputEnded = true
        guard phase == .open else { return closeWhenSaid(context) }
        watchHalfClosed(context)
        context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        if outputEnded { close(context: context, mode: .all, promise: nil) }
    }

    /// An application that forgets its half of the connection must not keep it for ever.
    func watchHalfClosed(_ context: ChannelHandlerContext) {
        // A peer that has not proved who it is stays under the stricter limit.
        guard admission == nil else { return }
        wroteSincePeerEnded = false
        arm(self.context.limits.halfClosed, context) { handler, context in
            if handler.wroteSincePeerEnded {
                handler.watchHalfClosed(context)
            } else {
                handler.close(context: context, mode: .all, promise: nil)
            }
        }
    }

    private func flushReplies(_ context: ChannelHandlerContext) {
        guard let engine, engine.buffers.outbound.readableBytes > 0 else { return }
        flushOutbound(context)
        repliesWait = phase == .open && !context.channel.isWritable
    }

    private func noticeTruncation(_ context: ChannelHandlerContext) {
        guard transportEnded, phase == .open, !inputEnded else { return }
        // Bytes that nobody asked for yet may still hold the close_notify.
        guard demand || engine?.buffers.inbound.readableBytes == 0 else { return }
        fail(.truncated, context)
    }
}
