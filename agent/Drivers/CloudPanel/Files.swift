import DriverKit
import Glibc

/// Small files of the system, whole. Links are followed only where the folder belongs to root.
enum Files {
    static func exists(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0
    }

    static func isExecutable(_ path: String) -> Bool { access(path, X_OK) == 0 }

    /// The names in a folder, without `.` and `..`; none where there is no folder.
    static func names(in folder: String) -> [String] { NodeFolder.names(in: folder) ?? [] }

    /// The bytes of a file; nil when there is none, or it is longer than the limit.
    static func bytes(_ path: String, atMost limit: Int = 1 << 20) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = Glibc.read(file, &piece, piece.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0, bytes.count + count <= limit else { return nil }
            if count == 0 { return bytes }
            bytes += piece[..<count]
        }
    }

    static func text(_ path: String, atMost limit: Int = 1 << 20) -> String? {
        bytes(path, atMost: limit).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Puts a file in its place whole or not at all, and on the disk.
    static func write(_ bytes: [UInt8], to path: String, mode: mode_t) throws(DriverError) {
        // nginx reads `*.conf`: the unfinished one must not end so.
        let unfinished = "\(path).new"
        unlink(unfinished)
        let file = open(unfinished, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard file >= 0 else { throw .cannotWrite(path) }
        let isWritten = fchmod(file, mode) == 0 && writeAll(bytes, to: file) && fsync(file) == 0
        let problem = errno
        close(file)
        guard isWritten, rename(unfinished, path) == 0 else {
            let cause = isWritten ? errno : problem
            unlink(unfinished)
            errno = cause
            throw .cannotWrite(path)
        }
    }

    static func writeAll(_ bytes: [UInt8], to file: Int32) -> Bool {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress! + done, bytes.count - done) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return false }
            done += count
        }
        return true
    }

    /// Makes a folder and those above it.
    static func makeFolder(_ path: String, mode: mode_t = 0o700) throws(DriverError) {
        if mkdir(path, mode) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
            throw .cannotWrite(path)
        }
        try makeFolder(String(path[..<slash]), mode: 0o755)
        guard mkdir(path, mode) == 0 || errno == EEXIST else { throw .cannotWrite(path) }
    }

    /// Whether it was there.
    @discardableResult
    static func remove(_ path: String) -> Bool { unlink(path) == 0 }
}

extension DriverError {
    /// By `errno`.
    static func cannotWrite(_ path: String) -> DriverError {
        let number = errno
        let cause = String(cString: strerror(number))
        let isFull = number == ENOSPC || number == EDQUOT
        return DriverError(isFull ? .outOfSpace : .failed, "\(path) cannot be written", cause: cause)
    }
}
