import Glibc

/// Marks of things that bear none themselves, or beside which their customer could forge one: a file each, in a folder that
/// only root may enter.
package struct MarkFolder: Sendable {
    package let path: String

    package init(_ path: String) { self.path = path }

    /// - Parameters:
    ///   - name: of the thing, without slashes.
    ///   - subject: what it was when it was marked; a thing of that name that is something else bears no mark.
    package func mark(of name: String, subject: String = "-") -> Mark? {
        let file = open("\(path)/\(name)", O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 1024)
        let count = Glibc.read(file, &bytes, bytes.count)
        guard count > 0 else { return nil }
        let lines = String(decoding: bytes[..<count], as: UTF8.self).textLines.map(String.init)
        guard lines.count == 3, lines[2] == subject else { return nil }
        return Mark(service: lines[0], nonce: lines[1] == "-" ? nil : lines[1])
    }

    /// Written beside and renamed, so that a mark is whole or not there; it is on disk when this returns.
    package func note(_ mark: Mark, of name: String, subject: String = "-") throws(DriverError) {
        guard makeFolder() else { throw problem(name) }
        let text = Array("\(mark.service)\n\(mark.nonce ?? "-")\n\(subject)\n".utf8)
        let fresh = "\(path)/.\(name).new"
        let file = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw problem(name) }
        let isWritten = write(file, text, text.count) == text.count && fsync(file) == 0
        close(file)
        guard isWritten, rename(fresh, "\(path)/\(name)") == 0, synchronise() else { throw problem(name) }
    }

    package func forget(_ name: String) { unlink("\(path)/\(name)") }

    private func problem(_ name: String) -> DriverError {
        let reason = String(cString: strerror(errno))
        return DriverError(.failed, "the mark of \(name) cannot be written", retryable: true, cause: reason)
    }

    private func makeFolder() -> Bool {
        var made = ""
        for part in path.split(separator: "/") {
            made += "/\(part)"
            if mkdir(made, 0o700) != 0, errno != EEXIST { return false }
        }
        return true
    }

    private func synchronise() -> Bool {
        let folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return false }
        defer { close(folder) }
        return fsync(folder) == 0
    }
}
