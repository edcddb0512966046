import Glibc

/// The folder that holds a daemon's state, held by one process at a time.
///
/// The lock is the kernel's (`flock`), so it ends with the process however that ends; the pid in the file is for people.
package final class DataDirectory: Sendable {
    package let path: String
    private let lock: Int32

    /// Makes the folder if it is missing (0700), checks that it is private, and takes its lock.
    /// - Throws: `FileError`; when another process holds the lock, its pid is named.
    package init(_ path: String) throws(FileError) {
        self.path = path
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw FileError("create", path) }
        try FileMode.requirePrivate(path)
        lock = try Self.takeLock("\(path)/lock", of: path)
        Self.removeDrafts(in: path)
    }

    deinit { close(lock) }

    /// The path of a file in the folder.
    package func file(_ name: String) -> String { "\(path)/\(name)" }

    /// The process that runs on the folder; nil when none does, or when who asks may not know.
    package static func holder(of path: String) -> Int32? {
        let file = open("\(path)/lock", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        // The lock tells whether somebody runs, the pid in the file may be one of long ago. A free lock is taken for an
        // instant only; a daemon that starts just then is started again by its service manager.
        defer { close(file) }
        guard flock(file, LOCK_SH | LOCK_NB) != 0, errno == EWOULDBLOCK,
            let bytes = try? AtomicFile.read("\(path)/lock", limit: 64)
        else { return nil }
        return Int32(String(decoding: bytes, as: UTF8.self).prefix { $0 != "\n" })
    }

    /// Removes what a process left that died while it wrote a file: nobody reads it, and it may hold a key.
    private static func removeDrafts(in path: String) {
        for name in namesInFolder(path) ?? [] where name.hasSuffix(AtomicFile.draftSuffix) {
            var status = stat()
            let file = "\(path)/\(name)"
            if lstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG { unlink(file) }
        }
    }

    private static func takeLock(_ name: String, of path: String) throws(FileError) -> Int32 {
        let file = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw FileError("open", name) }
        do throws(FileError) {
            guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
                guard errno == EWOULDBLOCK else { throw FileError("lock", name) }
                let holder = (try? AtomicFile.read(name, limit: 64)).map { String(decoding: $0, as: UTF8.self) } ?? ""
                let pid = holder.split(separator: "\n").first.map { "process \($0)" } ?? "another process"
                throw FileError("use", path, reason: "\(pid) is running on it")
            }
            guard ftruncate(file, 0) == 0 else { throw FileError("write", name) }
            try AtomicFile.writeAll(Array("\(getpid())\n".utf8), to: file, path: name)
        } catch {
            close(file)
            throw error
        }
        return file
    }
}
