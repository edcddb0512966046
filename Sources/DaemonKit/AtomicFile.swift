import Glibc

/// Small whole files: read with a limit, replaced so that a crash leaves either the old or the new content.
package enum AtomicFile {
    /// Of the file that is being written. One that a crash has left is replaced by the next write.
    package static let draftSuffix = ".new"

    /// Replaces the file: a temporary file beside it, synced, renamed over it, and the directory synced.
    /// - Parameter mode: permissions of the new file, from its first byte on.
    package static func write(_ bytes: [UInt8], to path: String, mode: UInt32 = 0o600) throws(FileError) {
        let temporary = "\(path)\(draftSuffix)"
        do throws(FileError) {
            try create(bytes, at: temporary, mode: mode)
            guard rename(temporary, path) == 0 else { throw FileError("replace", path) }
        } catch {
            unlink(temporary)
            throw error
        }
        try syncDirectory(of: path)
    }

    /// The whole file.
    /// - Throws: `FileError`, also when the file is longer than `limit` bytes.
    package static func read(_ path: String, limit: Int = 1 << 20) throws(FileError) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw FileError("open", path) }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16384)
        while true {
            let count = Glibc.read(file, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw FileError("read", path) }
            guard count > 0 else { return bytes }
            bytes += chunk[..<count]
            guard bytes.count <= limit else { throw FileError("read", path, reason: "longer than \(limit) bytes") }
        }
    }

    /// Removes the file; one that is not there is fine.
    package static func remove(_ path: String) throws(FileError) {
        guard unlink(path) == 0 || errno == ENOENT else { throw FileError("remove", path) }
        try syncDirectory(of: path)
    }

    /// Writes what a rename or a removal did to the directory to the disk.
    package static func syncDirectory(of path: String) throws(FileError) {
        let name = folder(of: path)
        let directory = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw FileError("open", name) }
        defer { close(directory) }
        guard fsync(directory) == 0 else { throw FileError("sync", name) }
    }

    private static func create(_ bytes: [UInt8], at path: String, mode: mode_t) throws(FileError) {
        unlink(path)
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard file >= 0 else { throw FileError("write", path) }
        defer { close(file) }
        // The umask may have taken bits that the caller wants.
        guard fchmod(file, mode) == 0 else { throw FileError("write", path) }
        try writeAll(bytes, to: file, path: path)
        guard fsync(file) == 0 else { throw FileError("sync", path) }
    }

    static func writeAll(_ bytes: [UInt8], to file: Int32, path: String) throws(FileError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw FileError("write", path) }
            rest = rest.dropFirst(count)
        }
    }

    /// The folder that a file is in.
    package static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
