import APIModels
import Synchronization

/// Where the output of a command goes: each byte once and in order, or the command has failed for whoever reads it.
final class OutputSink: Sendable {
    /// Bytes of each stream that have been written here.
    private let written = Mutex<[String: Int64]>([:])
    private let isWhole: Bool
    private let intoError: Bool

    /// - Parameters:
    ///   - isWhole: a piece that is missing is a failure, as in a file; else it is only told, as on a screen.
    ///   - intoError: everything goes to standard error: standard output is for something else.
    init(isWhole: Bool, intoError: Bool = false) {
        self.isWhole = isWhole
        self.intoError = intoError
    }

    /// Whether something came on the command's standard output.
    var isUsed: Bool { bytes > 0 }
    var bytes: Int64 { written.withLock { $0["stdout", default: 0] } }

    func take(_ piece: OutputPiece) throws(Failure) {
        let bytes = piece.bytes ?? []
        let place = written.withLock { $0[piece.stream, default: 0] }
        if piece.offset > place { try missing(piece.offset - place, of: piece.stream) }
        // A piece that came in part before a cut comes whole after it.
        let rest = bytes.dropFirst(Int(clamping: max(0, place - piece.offset)))
        try Terminal.write(Array(rest), isError: intoError || piece.stream == "stderr")
        written.withLock { $0[piece.stream] = max(place, piece.offset + Int64(bytes.count)) }
    }

    /// - Parameter all: bytes of the command's standard output; nil where nobody has counted.
    func checkEnd(all: Int64?) throws(Failure) {
        guard let all, bytes < all else { return }
        try missing(all - bytes, of: "stdout")
    }

    private func missing(_ count: Int64, of stream: String) throws(Failure) {
        let problem = "\(count) bytes of the command's \(stream) were lost on the way"
        guard isWhole, stream == "stdout" else { return Terminal.complain(problem) }
        throw Failure(.failed, problem + ": what was written here is not whole")
    }
}
