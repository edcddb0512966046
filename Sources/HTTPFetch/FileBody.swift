import Dispatch
import Glibc

extension HTTPBody {
    /// The bytes of a file, read as the peer takes them and sent chunked. The file is opened at once, so that a missing
    /// one is known before anything is sent.
    package static func file(_ path: String) throws(HTTPError) -> HTTPBody {
        let reader = try FileReader(path)
        return .stream(length: nil, next: { try await reader.next() })
    }
}

/// Reads a file piece by piece on a queue of its own, because a disk may make a reader wait.
private final class FileReader: Sendable {
    private static let pieceSize = 64 << 10
    private let descriptor: Int32
    private let path: String
    private let queue = DispatchQueue(label: "http-upload")

    init(_ path: String) throws(HTTPError) {
        self.path = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.failure(path, errno) }
    }

    deinit { close(descriptor) }

    func next() async throws(HTTPError) -> [UInt8]? {
        let result: Result<[UInt8], HTTPError> = await withCheckedContinuation { waiting in
            queue.async { waiting.resume(returning: self.piece()) }
        }
        let piece = try result.get()
        return piece.isEmpty ? nil : piece
    }

    private func piece() -> Result<[UInt8], HTTPError> {
        var code: Int32 = 0
        let piece = [UInt8](unsafeUninitializedCapacity: Self.pieceSize) { buffer, count in
            let got = read(descriptor, buffer.baseAddress, Self.pieceSize)
            (count, code) = (max(got, 0), got < 0 ? errno : 0)
        }
        if code == EINTR { return self.piece() }
        return code == 0 ? .success(piece) : .failure(Self.failure(path, code))
    }

    private static func failure(_ path: String, _ code: Int32) -> HTTPError {
        HTTPError(kind: .body, subject: path, cause: String(cString: strerror(code)))
    }
}
