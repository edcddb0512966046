import Glibc

/// A log on disk that is only ever appended to, one line a record, each line in one write.
///
/// At `limit` bytes it is moved to PATH.1 (replacing the one before), so that nobody can fill the disk through it.
package struct AppendOnlyFile: Sendable {
    package let path: String
    private let limit: Int

    package init(path: String, limit: Int = 16 << 20) {
        self.path = path
        self.limit = limit
    }

    /// Appends the line and its newline and waits until it is on the disk.
    package func append(_ line: String) throws(FileError) {
        let file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw FileError("open", path) }
        defer { close(file) }
        try AtomicFile.writeAll(Array(line.utf8) + [0x0A], to: file, path: path)
        guard fsync(file) == 0 else { throw FileError("sync", path) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_size >= limit else { return }
        guard rename(path, path + ".1") == 0 else { throw FileError("rotate", path) }
    }
}
