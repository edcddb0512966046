import Synchronization

/// The input of one command between the link and its driver. What a driver does not read waits here, up to a limit; the
/// controller is told what was read and sends no more than fits.
final class InputPipe: Sendable {
    enum Verdict: Sendable, Hashable {
        case taken
        /// More than may wait, or bytes are missing before these.
        case refused
    }

    /// The largest piece handed to a driver.
    static let pieceLimit = 64 << 10
    /// Bytes that may wait: the window, and room for a controller that knows of none.
    static let limit = 1 << 20

    fileprivate struct State {
        var pieces: [[UInt8]] = []
        var waitingBytes = 0
        var received: Int64 = 0
        var read: Int64 = 0
        var isEnded = false
        var reader: CheckedContinuation<[UInt8]?, Never>?
    }

    private let state = Mutex(State())
    private let onRead: @Sendable (_ bytes: Int64) -> Void

    /// - Parameter onRead: told how much the driver has read since the beginning.
    init(onRead: @escaping @Sendable (Int64) -> Void) { self.onRead = onRead }

    /// Bytes that the driver has read.
    var read: Int64 { state.withLock { $0.read } }

    /// The bytes in their order, to be read by one reader; ends with the input or the reader's task.
    var stream: AsyncStream<[UInt8]> { AsyncStream { await self.next() } }

    /// - Parameter offset: of the first byte; bytes that came before are passed over. Nil puts them behind the last.
    func push(_ data: [UInt8], at offset: Int64?, end: Bool) -> Verdict {
        let (verdict, reader, piece) = state.withLock { state in
            state.push(data, at: offset, end: end)
        }
        hand(piece, to: reader)
        return verdict
    }

    /// Nobody reads any more.
    func finish() {
        let reader = state.withLock { state in
            state.isEnded = true
            (state.pieces, state.waitingBytes) = ([], 0)
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume(returning: nil)
    }

    private func next() async -> [UInt8]? {
        let piece = await withTaskCancellationHandler {
            await withCheckedContinuation { reader in
                let (now, piece): (Bool, [UInt8]?) = state.withLock { state in
                    if Task.isCancelled { return (true, nil) }
                    if let piece = state.takeFirst() { return (true, piece) }
                    if state.isEnded { return (true, nil) }
                    state.reader = reader
                    return (false, nil)
                }
                if now { reader.resume(returning: piece) }
            }
        } onCancel: {
            let reader = state.withLock { state in
                defer { state.reader = nil }
                return state.reader
            }
            reader?.resume(returning: nil)
        }
        if piece != nil { onRead(read) }
        return piece
    }

    private func hand(_ piece: [UInt8]?, to reader: CheckedContinuation<[UInt8]?, Never>?) {
        reader?.resume(returning: piece)
    }
}

extension InputPipe.State {
    fileprivate typealias Handing = (InputPipe.Verdict, CheckedContinuation<[UInt8]?, Never>?, [UInt8]?)

    fileprivate mutating func push(_ data: [UInt8], at offset: Int64?, end: Bool) -> Handing {
        guard !isEnded else { return (.taken, nil, nil) }
        let start = offset ?? received
        guard start <= received else { return (.refused, nil, nil) }
        let fresh = data.dropFirst(Int(clamping: received - start))
        guard waitingBytes + fresh.count <= InputPipe.limit else { return (.refused, nil, nil) }
        append(fresh)
        // The end stands behind the bytes that it came with, so that an old line again does not end what goes on.
        if end, start + Int64(data.count) >= received { isEnded = true }
        guard let reader, !pieces.isEmpty || isEnded else { return (.taken, nil, nil) }
        self.reader = nil
        return (.taken, reader, takeFirst())
    }

    private mutating func append(_ bytes: ArraySlice<UInt8>) {
        received += Int64(bytes.count)
        waitingBytes += bytes.count
        var rest = bytes
        // Keystrokes that wait become one piece.
        if let last = pieces.last, !rest.isEmpty, last.count + rest.count <= InputPipe.pieceLimit {
            pieces[pieces.count - 1] += rest
            return
        }
        while !rest.isEmpty {
            pieces.append(Array(rest.prefix(InputPipe.pieceLimit)))
            rest = rest.dropFirst(InputPipe.pieceLimit)
        }
    }

    fileprivate mutating func takeFirst() -> [UInt8]? {
        guard !pieces.isEmpty else { return nil }
        let piece = pieces.removeFirst()
        waitingBytes -= piece.count
        read += Int64(piece.count)
        return piece
    }
}
