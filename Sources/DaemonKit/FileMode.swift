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

    private static func require(_ path: String, without bits: mode_t, _ problem: String) throws(FileError) {
        var status = stat()
        guard stat(path, &status) == 0 else { throw FileError("open", path) }
        guard status.st_mode & bits == 0 else { throw FileError("trust", path, reason: problem) }
        guard status.st_uid == 0 || status.st_uid == geteuid() else {
            throw FileError("trust", path, reason: "it belongs to user \(status.st_uid)")
        }
    }
}
