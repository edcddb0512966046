import DriverKit
import Glibc

/// The folder of logs, opened once; files in it are named by whole names, never reached through a link or a path.
struct LogFolder: ~Copyable {
    private let descriptor: Int32

    /// Nil when there is no such folder.
    init?(_ path: String) throws(DriverError) {
        descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
        if descriptor >= 0 { return }
        guard errno == ENOENT || errno == ENOTDIR else { throw .unreadable(path) }
        return nil
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// The end of a file; nil when it is not there.
    /// - Parameter limit: bytes at most.
    func end(of name: String, atMost limit: Int) throws(DriverError) -> (bytes: [UInt8], isWhole: Bool)? {
        let file = openat(descriptor, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw .unreadable(name)
        }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw DriverError(.permissionDenied, "\(name) is no ordinary file")
        }
        let start = max(0, Int(status.st_size) - limit)
        var bytes = [UInt8](repeating: 0, count: min(Int(status.st_size), limit))
        var filled = 0
        // The file may shrink meanwhile: then there is less of it.
        while filled < bytes.count {
            let count = bytes.withUnsafeMutableBytes {
                pread(file, $0.baseAddress! + filled, $0.count - filled, off_t(start + filled))
            }
            guard count > 0 else { break }
            filled += count
        }
        return (Array(bytes[..<filled]), start == 0)
    }
}

extension DriverError {
    fileprivate static func unreadable(_ name: String) -> DriverError {
        let denied = errno == EACCES || errno == EPERM || errno == ELOOP
        return DriverError(
            denied ? .permissionDenied : .failed, "\(name) cannot be read", retryable: !denied,
            cause: String(cString: strerror(errno)))
    }
}
