import DriverKit
import Glibc

/// Small files of the system, as text.
enum FileText {
    /// No file of these is honestly longer.
    private static let limit = 4 << 20

    /// Nil when it cannot be read, or is too long.
    static func read(_ path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 16 << 10)
        while bytes.count <= limit {
            let count = Glibc.read(file, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            if count < 0 { return nil }
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += piece[..<count]
        }
        return nil
    }

    /// Nil when the folder cannot be read.
    static func names(in path: String) -> [String]? {
        NodeFolder.names(in: path)?.filter { !$0.hasPrefix(".") }.sorted()
    }

    /// What a symbolic link says.
    static func link(_ path: String) -> String? {
        var target = [UInt8](repeating: 0, count: 1024)
        let count = target.withUnsafeMutableBytes { readlink(path, $0.baseAddress!, $0.count) }
        return count > 0 ? String(decoding: target[..<count], as: UTF8.self) : nil
    }

    /// Whether somebody holds the file's lock now.
    static func isLocked(_ path: String) -> Bool {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return false }
        defer { close(file) }
        return flock(file, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }

    /// A new file that only its owner may read; the caller removes it. Nil when it cannot be written.
    /// - Parameter place: of the file, which must not be there; a name of its own among temporary files where none is given.
    static func privateFile(_ bytes: [UInt8], at place: String? = nil) -> String? {
        let path = place ?? "/tmp/innkeeper-\(String(UInt64.random(in: 0 ... .max), radix: 36))"
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes { write(file, $0.baseAddress! + offset, bytes.count - offset) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                unlink(path)
                return nil
            }
            offset += count
        }
        return path
    }
}
