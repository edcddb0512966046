import DriverKit
import Glibc

/// A folder that is held open while what is in it is judged, so that nothing is exchanged between the look and the use.
final class OpenFolder {
    let path: String
    private let descriptor: Int32

    /// Nil when there is none.
    /// - Throws: when it is no folder of root's alone.
    convenience init?(_ path: String) throws(DriverError) {
        let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw Self.problem(path, String(cString: strerror(errno)))
        }
        try self.init(path, descriptor)
    }

    private init(_ path: String, _ descriptor: Int32) throws(DriverError) {
        (self.path, self.descriptor) = (path, descriptor)
        if let problem = Self.judge(descriptor).problem { throw Self.problem(path, problem) }
    }

    deinit { close(descriptor) }

    /// Nil when there is no such thing in it.
    func folder(_ name: String) throws(DriverError) -> OpenFolder? {
        guard let inner = try entry(name, O_DIRECTORY) else { return nil }
        return try OpenFolder("\(path)/\(name)", inner)
    }

    /// What is in a file of it; nil when there is none.
    func file(_ name: String) throws(DriverError) -> [UInt8]? {
        guard let file = try entry(name, O_NONBLOCK) else { return nil }
        defer { close(file) }
        let (isFile, problem) = Self.judge(file)
        if let problem { throw self.problem("\(path)/\(name)", problem) }
        guard isFile else { throw self.problem("\(path)/\(name)", "it is no file") }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 16 << 10)
        while case let count = read(file, &piece, piece.count), count > 0 {
            bytes += piece[..<count]
            guard bytes.count <= RecipeShelf.fileLimit else {
                throw self.problem("\(path)/\(name)", "it is longer than \(RecipeShelf.fileLimit) bytes")
            }
        }
        return bytes
    }

    func problem(_ path: String, _ problem: String) -> DriverError { Self.problem(path, problem) }

    private func entry(_ name: String, _ flags: Int32) throws(DriverError) -> Int32? {
        let opened = openat(descriptor, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | flags)
        if opened >= 0 { return opened }
        switch errno {
        case ENOENT: return nil
        case ELOOP: throw problem("\(path)/\(name)", "it is a symbolic link")
        case ENOTDIR where flags & O_DIRECTORY != 0: throw problem("\(path)/\(name)", "it is a link or no folder")
        default: throw problem("\(path)/\(name)", String(cString: strerror(errno)))
        }
    }

    private static func judge(_ descriptor: Int32) -> (isFile: Bool, problem: String?) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return (false, String(cString: strerror(errno))) }
        let isFile = status.st_mode & S_IFMT == S_IFREG
        // An agent that is not root, as in a test, trusts itself as well.
        guard status.st_uid == 0 || status.st_uid == geteuid() else { return (isFile, "it does not belong to root") }
        return (isFile, status.st_mode & 0o022 == 0 ? nil : "others than root may write to it")
    }

    private static func problem(_ path: String, _ problem: String) -> DriverError {
        DriverError(.permissionDenied, "\(path) is not used", cause: problem)
    }
}
