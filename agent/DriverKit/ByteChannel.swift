import Synchronization

/// Bytes from one task to another: the writer waits while the reader is behind, and each learns when the other is gone.
package final class ByteChannel: Sendable {
    private struct State {
        var pieces: [[UInt8]] = []
        var bytes = 0
        var isFinished = false
        var isClosed = false
        var reader: CheckedContinuation<[UInt8]?, Never>?
        var writers: [CheckedContinuation<Void, Never>] = []
    }

    /// Bytes that may wait for the reader; one piece goes beyond it at most.
    package let limit: Int
    private let state = Mutex(State())

    package init(limit: Int = 256 << 10) { self.limit = limit }

    /// What was written, piece by piece; for one reader. Cancelling that reader closes the channel.
    package var stream: AsyncStream<[UInt8]> {
        AsyncStream(unfolding: { await self.next() }, onCancel: { self.close() })
    }

    /// Hands bytes over; waits while the reader is behind.
    /// - Throws: when the reader is gone or the calling task was cancelled.
    package func write(_ bytes: [UInt8]) async throws(CancellationError) {
        guard !bytes.isEmpty else { return }
        let reader = try state.withLock { state throws(CancellationError) -> CheckedContinuation<[UInt8]?, Never>? in
            if state.isClosed || state.isFinished { throw CancellationError() }
            if let reader = state.reader {
                state.reader = nil
                return reader
            }
            state.pieces.append(bytes)
            state.bytes += bytes.count
            return nil
        }
        if let reader { return reader.resume(returning: bytes) }
        await untilThereIsRoom()
        if Task.isCancelled || state.withLock({ $0.isClosed }) { throw CancellationError() }
    }

    /// The writer has written the last.
    package func finish() {
        let reader = state.withLock { state in
            state.isFinished = true
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume(returning: nil)
    }

    /// The reader wants no more: writers fail from now on.
    package func close() {
        let (reader, writers) = state.withLock { state in
            defer { (state.reader, state.writers, state.pieces, state.bytes) = (nil, [], [], 0) }
            state.isClosed = true
            return (state.reader, state.writers)
        }
        reader?.resume(returning: nil)
        for writer in writers { writer.resume() }
    }

    private func next() async -> [UInt8]? {
        await withCheckedContinuation { reader in
            let (now, writers) = state.withLock { state -> ([UInt8]??, [CheckedContinuation<Void, Never>]) in
                if !state.pieces.isEmpty {
                    let piece = state.pieces.removeFirst()
                    state.bytes -= piece.count
                    guard state.bytes < limit else { return (.some(piece), []) }
                    defer { state.writers = [] }
                    return (.some(piece), state.writers)
                }
                if state.isFinished || state.isClosed { return (.some(nil), []) }
                state.reader = reader
                return (nil, [])
            }
            if let now { reader.resume(returning: now) }
            for writer in writers { writer.resume() }
        }
    }

    private func untilThereIsRoom() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { writer in
                let waits = state.withLock { state in
                    guard state.bytes >= limit, !state.isClosed, !Task.isCancelled else { return false }
                    state.writers.append(writer)
                    return true
                }
                if !waits { writer.resume() }
            }
        } onCancel: {
            let writers = state.withLock { state in
                defer { state.writers = [] }
                return state.writers
            }
            for writer in writers { writer.resume() }
        }
    }
}
