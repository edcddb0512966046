import CLibCurl
import Synchronization

/// The body of one request on its way out: at most one piece waits for the socket at a time.
final class Upload: Sendable {
    let length: Int?
    private let state: Mutex<State>
    private let next: (@Sendable () async throws -> [UInt8]?)?

    private struct State {
        var piece: [UInt8] = []
        var offset = 0
        var isComplete = false
        var hasFailed = false
        var isPaused = false
        var isClosed = false
        var writer: CheckedContinuation<Bool, Never>?
        var pump: Task<Void, Never>?
    }

    init(_ body: HTTPBody) {
        switch body {
        case .bytes(let bytes):
            length = bytes.count
            next = nil
            state = Mutex(State(piece: bytes, isComplete: true))
        case .stream(let length, let next):
            self.length = length
            self.next = next
            state = Mutex(State())
        }
    }

    /// Starts pulling the body; `resume` is called when a paused transfer has something to send again.
    func begin(resume: @escaping @Sendable () -> Void) {
        guard let next else { return }
        let pump = Task {
            do {
                while let piece = try await next() {
                    guard await self.offer(piece, resume: resume) else { return }
                }
                self.end(failed: false, resume: resume)
            } catch {
                self.end(failed: true, resume: resume)
            }
        }
        let isLate = state.withLock { state in
            state.pump = pump
            return state.isClosed
        }
        if isLate { pump.cancel() }
    }

    /// False when nobody wants the rest.
    private func offer(_ piece: [UInt8], resume: @Sendable () -> Void) async -> Bool {
        guard !piece.isEmpty else { return true }
        return await withCheckedContinuation { writer in
            var resumes = false
            let isClosed = state.withLock { state in
                guard !state.isClosed else { return true }
                (state.piece, state.offset, state.writer) = (piece, 0, writer)
                swap(&resumes, &state.isPaused)
                return false
            }
            if isClosed { writer.resume(returning: false) }
            if resumes { resume() }
        }
    }

    private func end(failed: Bool, resume: () -> Void) {
        let resumes = state.withLock { state in
            state.isComplete = !failed
            state.hasFailed = failed
            defer { state.isPaused = false }
            return state.isPaused
        }
        if resumes { resume() }
    }

    enum Portion { case bytes(Int), pause, failure }

    /// Fills the buffer of the transfer thread; zero bytes is the end of the body.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> Portion {
        var writer: CheckedContinuation<Bool, Never>?
        let portion: Portion = state.withLock { state in
            let count = min(buffer.count, state.piece.count - state.offset)
            if count > 0 {
                state.piece.withUnsafeBytes { piece in
                    buffer.copyMemory(from: .init(rebasing: piece[state.offset..<state.offset + count]))
                }
                state.offset += count
                if state.offset == state.piece.count {
                    (state.piece, state.offset) = ([], 0)
                    swap(&writer, &state.writer)
                }
                return .bytes(count)
            }
            if state.isComplete { return .bytes(0) }
            if state.hasFailed { return .failure }
            state.isPaused = true
            return .pause
        }
        writer?.resume(returning: true)
        return portion
    }

    func close() {
        let (writer, pump) = state.withLock { state in
            state.isClosed = true
            defer { (state.writer, state.pump, state.piece, state.offset) = (nil, nil, [], 0) }
            return (state.writer, state.pump)
        }
        pump?.cancel()
        writer?.resume(returning: false)
    }
}
