import Synchronization

/// The letter box between the thread that drives the transfer and the task that reads the response. One reader.
final class Exchange: Sendable {
    /// Bytes held for a reader that does not come, before the peer is made to wait.
    static let highWater = 64 << 10

    let subject: String
    let upload: Upload?
    private let commands: LoopCommands
    private let state = Mutex(State())

    private struct State {
        var head: HTTPHead?
        var headReader: CheckedContinuation<Result<HTTPHead, HTTPError>, Never>?
        var chunks: [[UInt8]] = []
        var buffered = 0
        var isPaused = false
        var chunkReader: CheckedContinuation<Result<[UInt8]?, HTTPError>, Never>?
        var end: Result<Void, HTTPError>?
    }

    init(subject: String, body: HTTPBody?, commands: LoopCommands) {
        self.subject = subject
        self.commands = commands
        upload = body.map { Upload($0) }
    }

    // MARK: the reading task

    func head() async throws(HTTPError) -> HTTPHead {
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { reader in
                let known: Result<HTTPHead, HTTPError>? = state.withLock { state in
                    if let head = state.head { return .success(head) }
                    if case .failure(let error) = state.end { return .failure(error) }
                    state.headReader = reader
                    return nil
                }
                if let known { reader.resume(returning: known) }
            }
        } onCancel: {
            abort()
        }
        return try result.get()
    }

    /// The next piece of the body, nil at its end.
    func nextChunk() async throws(HTTPError) -> [UInt8]? {
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { reader in
                var resumes = false
                let known: Result<[UInt8]?, HTTPError>? = state.withLock { state in
                    if !state.chunks.isEmpty {
                        let chunk = state.chunks.removeFirst()
                        state.buffered -= chunk.count
                        resumes = state.isPaused && state.buffered <= Self.highWater / 2
                        if resumes { state.isPaused = false }
                        return .success(chunk)
                    }
                    if let end = state.end { return end.map { nil } }
                    state.chunkReader = reader
                    return nil
                }
                if resumes { commands.submit(.resumeReceiving(self)) }
                if let known { reader.resume(returning: known) }
            }
        } onCancel: {
            abort()
        }
        return try result.get()
    }

    /// Breaks the transfer off, for a reader that has gone or was cancelled. Harmless after the end.
    func abort() {
        let error = HTTPError(kind: .cancelled, subject: subject, cause: "cancelled")
        if finish(.failure(error), discarding: true) { commands.submit(.abort(self)) }
    }

    // MARK: the transfer thread

    func deliver(_ head: HTTPHead) {
        let reader = state.withLock { state in
            guard state.end == nil else { return nil as CheckedContinuation<Result<HTTPHead, HTTPError>, Never>? }
            state.head = head
            defer { state.headReader = nil }
            return state.headReader
        }
        reader?.resume(returning: .success(head))
    }

    /// False when the reader is behind: the same bytes are to be offered again after `resumeReceiving`.
    func deliver(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let chunk = [UInt8](bytes)
        var reader: CheckedContinuation<Result<[UInt8]?, HTTPError>, Never>?
        let taken = state.withLock { state in
            guard state.end == nil else { return true }
            if let waiting = state.chunkReader {
                reader = waiting
                state.chunkReader = nil
                return true
            }
            guard state.buffered == 0 || state.buffered + chunk.count <= Self.highWater else {
                state.isPaused = true
                return false
            }
            state.chunks.append(chunk)
            state.buffered += chunk.count
            return true
        }
        reader?.resume(returning: .success(chunk))
        return taken
    }

    /// The first end stands. True when this call set it.
    @discardableResult
    func finish(_ end: Result<Void, HTTPError>, discarding: Bool = false) -> Bool {
        upload?.close()
        var headReader: CheckedContinuation<Result<HTTPHead, HTTPError>, Never>?
        var chunkReader: CheckedContinuation<Result<[UInt8]?, HTTPError>, Never>?
        let first = state.withLock { state in
            guard state.end == nil else { return false }
            state.end = end
            if discarding { (state.chunks, state.buffered) = ([], 0) }
            swap(&headReader, &state.headReader)
            swap(&chunkReader, &state.chunkReader)
            return true
        }
        if case .failure(let error) = end { headReader?.resume(returning: .failure(error)) }
        chunkReader?.resume(returning: end.map { nil })
        return first
    }
}

/// Keeps a transfer and its thread going: when the last holder lets go, the transfer is broken off.
final class ExchangeLease: Sendable {
    let exchange: Exchange
    private let loop: TransferLoop

    init(_ exchange: Exchange, loop: TransferLoop) {
        self.exchange = exchange
        self.loop = loop
    }

    deinit { exchange.abort() }
}
