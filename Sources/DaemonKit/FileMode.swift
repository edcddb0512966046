import Glibc

/// Who may touch a file that a daemon trusts.
package enum FileMode {
    /// Checks that no one but the owner may read or write the file, and that the owner is root or this process's user.
    package static func requirePrivate(_ path: String) throws(FileError) {
        try require(path, without: 0o077, "others may read or write it; chmod 600 it (700 a directory)")
    }

    /// Checks that no one but the owner may write the file, and that the owner is root or this process's user.
    package static func requireUnwritableByOthers(_ path: String) throws(FileError) {
        try require(path, without: 0o022, "others may write it; chmod go-w it")
    }

    /// Takes away what group and others may do with a file that only grew open: its content is not what a stranger could
    /// use at once. False when there was nothing to take, or there is no such file.
    /// - Throws: `FileError`, also when it belongs to somebody else or is no regular file.
    package static func tighten(_ path: String) throws(FileError) -> Bool {
        // No link is followed: nobody shall be led to change the mode of another file.
        let file = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else {
            guard errno != ENOENT else { return false }
            throw FileError("open", path)
        }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw FileError("open", path) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw FileError("trust", path, reason: "it is no regular file")
        }
        guard status.st_uid == 0 || status.st_uid == geteuid() else {
            throw FileError("trust", path, reason: "it belongs to user \(status.st_uid)")
        }
        guard status.st_mode & 0o077 != 0 else { return false }
        guard fchmod(file, status.st_mode & 0o700) == 0 else { throw FileError("close to others", path) }
        return true
    }

    private static func require(_ path: String, without bits: mode_t, _ problem: String) throws(FileError) {
        var status = stat()
        guard stat(path, &status) == 0 else { throw FileError("open", path) }
        guard status.st_mode & bits == 0 else { throw FileError("trust", path, reason: problem) }
        guard status.st_uid == 0 || status.st_uid == geteuid() else {
            throw FileError("trust", path, reason: "it belongs to user \(status.st_uid)")
        }
    }
}
