import Glibc

/// A log file that is read to its end and then followed, through renaming and cutting off.
///
/// Not for two threads at once; its one reader hands it from call to call.
final class LogFile {
    private let path: String
    private var descriptor: Int32 = -1
    private var identity: ino_t = 0
    private var position: off_t = 0

    enum Failure: Error, Sendable { case missing, denied, noFile }

    init(_ path: String) throws(Failure) {
        self.path = path
        guard reopen() else {
            switch errno {
            case ENOENT: throw .missing
            case EACCES, EPERM: throw .denied
            default: throw .noFile
            }
        }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// The next bytes; empty at the end. A file that was renamed is read to its end before the new one is begun.
    func next() -> [UInt8] {
        let bytes = readOn()
        if !bytes.isEmpty { return bytes }
        var status = stat()
        guard lstat(path, &status) == 0 else { return [] }
        if status.st_ino != identity {
            return reopen() ? readOn() : []
        }
        if status.st_size < position {
            // Cut off in place: what follows begins anew.
            position = 0
            return readOn()
        }
        return []
    }

    private func readOn() -> [UInt8] {
        guard descriptor >= 0 else { return [] }
        var bytes = [UInt8](repeating: 0, count: 64 << 10)
        let count = pread(descriptor, &bytes, bytes.count, position)
        guard count > 0 else { return [] }
        position += off_t(count)
        return Array(bytes[..<count])
    }

    /// A link is not gone through, and what is no file is not waited for.
    private func reopen() -> Bool {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard file >= 0 else { return false }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(file)
            errno = EINVAL
            return false
        }
        if descriptor >= 0 { close(descriptor) }
        (descriptor, identity, position) = (file, status.st_ino, 0)
        return true
    }
}
