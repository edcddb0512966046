import Glibc

/// Small files of the operator's own: keys, certificates, plans.
enum LocalFile {
    private static let limit = 1 << 20

    /// The text of a file of at most 1 MiB; `-` is standard input.
    static func text(_ path: String, what: String) throws(Failure) -> String {
        let descriptor = path == "-" ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("\(what): cannot open \(path)") }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count == 0 { break }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure("\(what): cannot read \(path)") }
            bytes += chunk[..<count]
            guard bytes.count <= limit else { throw Failure(.usage, "\(what): \(path) is larger than 1 MiB") }
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Failure(.usage, "\(what): \(path) is not UTF-8 text")
        }
        return text
    }

    static func makeDirectories(above path: String) throws(Failure) {
        var made = ""
        for part in path.split(separator: "/").dropLast() {
            made += "/" + part
            if mkdir(made, 0o700) != 0, errno != EEXIST { throw failure("cannot make \(made)") }
        }
    }

    /// Replaces a file in one step, for its owner's eyes only.
    static func replace(_ path: String, with bytes: [UInt8]) throws(Failure) {
        let draft = path + ".new"
        unlink(draft)
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("cannot write \(draft)") }
        let count = write(descriptor, bytes, bytes.count)
        let synced = fsync(descriptor)
        guard close(descriptor) == 0, synced == 0, count == bytes.count, rename(draft, path) == 0 else {
            throw failure("cannot write \(path)")
        }
    }

    private static func failure(_ text: String) -> Failure {
        Failure(.usage, "\(text): \(String(cString: strerror(errno)))")
    }
}
