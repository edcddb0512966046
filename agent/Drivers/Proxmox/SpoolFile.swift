import Dispatch
import DriverKit
import Glibc
import WireProtocol

/// Content on its way into or out of a container: a file that only this process may read, on a disk.
final class SpoolFile: Sendable {
    let path: String
    private let file: Int32
    /// Disks make one wait: not on the threads that everything else runs on.
    private let queue = DispatchQueue(label: "spool file")
    private static let piece = 128 << 10

    init?(in folder: String = "/var/tmp") {
        path = "\(folder)/innkeeper-\(String(UInt64.random(in: 0 ... .max), radix: 36))"
        file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if file < 0 { return nil }
    }

    deinit { close(file) }

    func remove() { unlink(path) }

    /// Writes what comes, until it ends. Returns how much came.
    /// - Parameters:
    ///   - wanted: bytes that were announced; nil takes what comes.
    ///   - limit: most that is taken.
    /// - Throws: when more or less comes than announced, or there is no room for it.
    @discardableResult
    func take(
        _ input: AsyncStream<[UInt8]>, bytes wanted: Int64?, limit: Int64 = .max
    ) async throws(DriverError) -> Int64 {
        var taken: Int64 = 0
        for await chunk in input {
            taken += Int64(chunk.count)
            guard taken <= wanted ?? limit else {
                let bound = wanted.map { "the \($0) bytes announced" } ?? "the \(limit) bytes that are taken at most"
                throw DriverError(.conflict, "more content came than \(bound)")
            }
            try await write(chunk)
        }
        if Task.isCancelled { throw DriverError(.cancelled, "stopped while the content came") }
        if let wanted, taken != wanted {
            throw DriverError(.failed, "the content ended after \(taken) of \(wanted) bytes", retryable: true)
        }
        return taken
    }

    private func write(_ chunk: [UInt8]) async throws(DriverError) {
        let code = await aside { file -> Int32 in
            var rest = chunk[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress!, $0.count) }
                if count < 0, errno == EINTR { continue }
                if count < 0 { return errno }
                rest = rest.dropFirst(count)
            }
            return 0
        }
        switch code {
        case 0: return
        case ENOSPC, EDQUOT: throw DriverError(.outOfSpace, "the node has no room for the content")
        default: throw DriverError(.failed, "the content cannot be kept", cause: String(cString: strerror(code)))
        }
    }

    /// Sends all of it as output.
    func give(to context: ActionContext) async throws(DriverError) {
        var offset = 0
        while true {
            let start = offset
            let bytes = await aside { file -> [UInt8]? in
                var piece = [UInt8](repeating: 0, count: Self.piece)
                let count = piece.withUnsafeMutableBytes { pread(file, $0.baseAddress!, $0.count, off_t(start)) }
                return count < 0 ? nil : Array(piece[..<count])
            }
            guard let bytes else { throw DriverError(.failed, "the content cannot be read again", retryable: true) }
            if bytes.isEmpty { return }
            offset += bytes.count
            do { try await context.output(.stdout, bytes) } catch {
                throw DriverError(.cancelled, "stopped while the content was sent")
            }
        }
    }

    private func aside<Value: Sendable>(_ work: @escaping @Sendable (Int32) -> Value) async -> Value {
        await withCheckedContinuation { done in queue.async { done.resume(returning: work(self.file)) } }
    }
}
