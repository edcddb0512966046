import Glibc

/// PEM text in a file. Blocking: for start-up and rare renewals, off the event loops.
package enum PEMFile {
    /// Writes beside the file and renames, so that a reader or a crash sees the old text or the new, never a part.
    /// - Parameter mode: 0600 unless the text is public.
    package static func write(_ text: String, to path: String, mode: UInt32 = 0o600) throws(PEMFileError) {
        // One that a crash has left goes; it may hold a key.
        let draft = "\(path).new"
        unlink(draft)
        let file = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        guard file >= 0 else { throw .system("create", draft) }
        let failure = fill(file, with: Array(text.utf8), mode: mode, path: path)
        close(file)
        if let failure {
            unlink(draft)
            throw failure
        }
        guard rename(draft, path) == 0 else {
            let failure = PEMFileError.system("replace", path)
            unlink(draft)
            throw failure
        }
        try syncFolder(of: path)
    }

    /// Reads text that is no secret.
    package static func read(_ path: String) throws(PEMFileError) -> String {
        try contents(of: path) { _ in nil }
    }

    /// Reads a private key; refuses a file that its group or others may read.
    package static func readKey(_ path: String) throws(PEMFileError) -> String {
        try contents(of: path) { mode in
            mode & 0o077 == 0
                ? nil
                : PEMFileError(
                    path: path,
                    problem:
                        "holds a private key and is open to group or others (mode \(String(mode & 0o777, radix: 8)));"
                        + " set mode 600")
        }
    }

    private static func fill(_ file: Int32, with bytes: [UInt8], mode: UInt32, path: String) -> PEMFileError? {
        // The mode given to open() is cut by the umask.
        guard fchmod(file, mode) == 0 else { return .system("set the mode of", path) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else { return .system("write", path) }
            rest = rest.dropFirst(written)
        }
        return fsync(file) == 0 ? nil : .system("write", path)
    }

    private static func syncFolder(of path: String) throws(PEMFileError) {
        let parent = path.lastIndex(of: "/").map { path[..<$0] } ?? "."
        let folder = open(parent.isEmpty ? "/" : String(parent), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw .system("open the folder of", path) }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw .system("store", path) }
    }

    private static func contents(
        of path: String, refuse: (mode_t) -> PEMFileError?
    ) throws(PEMFileError) -> String {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw .system("open", path) }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw .system("look at", path) }
        if let refusal = refuse(status.st_mode) { throw refusal }
        var bytes = [UInt8](repeating: 0, count: PEM.maximumBytes + 1)
        var count = 0
        while count < bytes.count {
            let got = bytes.withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress! + count, $0.count - count) }
            if got < 0 && errno == EINTR { continue }
            guard got >= 0 else { throw .system("read", path) }
            guard got > 0 else { return String(decoding: bytes.prefix(count), as: UTF8.self) }
            count += got
        }
        throw PEMFileError(path: path, problem: "is longer than \(PEM.maximumBytes) bytes")
    }
}

/// A PEM file that could not be read or written.
package struct PEMFileError: Error, Sendable, Equatable, CustomStringConvertible {
    package let path: String
    /// A sentence that names the file.
    package let description: String
    /// The system's error number, 0 when it was not the system that refused.
    package let code: Int32

    package var isMissing: Bool { code == ENOENT }

    init(path: String, problem: String) {
        (self.path, description, code) = (path, "\(path) \(problem)", 0)
    }

    private init(path: String, description: String, code: Int32) {
        (self.path, self.description, self.code) = (path, description, code)
    }

    static func system(_ what: String, _ path: String) -> PEMFileError {
        let code = errno
        return PEMFileError(
            path: path, description: "cannot \(what) \(path): \(String(cString: strerror(code)))", code: code)
    }
}
