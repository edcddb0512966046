import DriverKit
import Glibc

/// SWAG's folder of proxy configurations, held open. What lies in `/config` belongs to the container, so no symbolic
/// link on the way is followed: with one it could aim root's writes at any file of the node.
final class ConfigurationFolder: Sendable {
    static let sizeLimit = 256 << 10
    /// Beside a file that is being exchanged: what was there before, or that nothing was.
    private static let old = ".innkeeper-old"
    private static let none = ".innkeeper-none"
    private static let next = ".innkeeper-next"

    let path: String
    private let descriptor: Int32
    private let owner: (user: uid_t, group: gid_t)

    /// - Parameter parts: names below `/config`, such as `nginx/proxy-confs`.
    init(_ folder: String, _ parts: [String] = ["nginx", "proxy-confs"]) throws(DriverError) {
        path = ([folder] + parts).joined(separator: "/")
        var place = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        for part in parts where place >= 0 {
            let inner = openat(place, part, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
            let problem = errno
            close(place)
            (place, errno) = (inner, problem)
        }
        var status = stat()
        guard place >= 0, fstat(place, &status) == 0 else { throw .file("cannot open \(path)") }
        descriptor = place
        owner = (status.st_uid, status.st_gid)
    }

    deinit { close(descriptor) }

    func names() throws(DriverError) -> [String] {
        let copy = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0, let folder = fdopendir(copy) else { throw .file("cannot read \(path)") }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder), names.count < 10_000 {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                })
        }
        return names.sorted()
    }

    /// Nil when there is no such file.
    func read(_ name: String) throws(DriverError) -> [UInt8]? {
        let file = openat(descriptor, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw .file("cannot read \(path)/\(name)")
        }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw DriverError(.conflict, "\(path)/\(name) is no file")
        }
        guard status.st_size <= Self.sizeLimit else {
            throw DriverError(.conflict, "\(path)/\(name) is larger than 256 KiB")
        }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while bytes.count <= Self.sizeLimit {
            let count = Glibc.read(file, &piece, piece.count)
            guard count >= 0 else { throw .file("cannot read \(path)/\(name)") }
            if count == 0 { break }
            bytes += piece[..<count]
        }
        return bytes
    }

    // MARK: exchange

    /// Puts new bytes in a file's place, or nothing where they are nil; `keep` or `goBack` ends the exchange. Whoever dies
    /// between has left a note for `settle`.
    func exchange(_ name: String, _ bytes: [UInt8]?) throws(DriverError) {
        if let bytes { try write(bytes, name + Self.next) }
        let before = try read(name)
        if before != nil {
            guard linkat(descriptor, name, descriptor, name + Self.old, 0) == 0 else {
                throw .file("cannot keep \(path)/\(name)")
            }
        } else {
            try write([], name + Self.none)
        }
        fsync(descriptor)
        let result =
            bytes == nil ? unlinkat(descriptor, name, 0) : renameat(descriptor, name + Self.next, descriptor, name)
        guard result == 0 || errno == ENOENT && bytes == nil else {
            let error = DriverError.file("cannot change \(path)/\(name)")
            keep(name)
            throw error
        }
        fsync(descriptor)
    }

    /// The exchange holds.
    func keep(_ name: String) {
        for mark in [Self.old, Self.none, Self.next] { unlinkat(descriptor, name + mark, 0) }
        fsync(descriptor)
    }

    /// What was there before is there again.
    func goBack(_ name: String) throws(DriverError) {
        if faccessat(descriptor, name + Self.old, F_OK, AT_SYMLINK_NOFOLLOW) == 0 {
            // Two names of one file are left alone by a rename: then the old one is the one that is there.
            guard renameat(descriptor, name + Self.old, descriptor, name) == 0 else {
                throw .file("cannot restore \(path)/\(name)")
            }
        } else if faccessat(descriptor, name + Self.none, F_OK, AT_SYMLINK_NOFOLLOW) == 0 {
            guard unlinkat(descriptor, name, 0) == 0 || errno == ENOENT else {
                throw .file("cannot remove \(path)/\(name)")
            }
        }
        keep(name)
    }

    /// Ends exchanges that nobody ended: the files before them are there again.
    /// - Returns: names of the files.
    func settle() throws(DriverError) -> [String] {
        var settled: [String] = []
        for name in try names() {
            if name.hasSuffix(Self.next) { unlinkat(descriptor, name, 0) }
            for mark in [Self.old, Self.none] where name.hasSuffix(mark) {
                let file = String(name.dropLast(mark.count))
                guard ProxyFile(file) != nil else { continue }
                try goBack(file)
                settled.append(file)
            }
        }
        return settled
    }

    private func write(_ bytes: [UInt8], _ name: String) throws(DriverError) {
        unlinkat(descriptor, name, 0)
        let file = openat(descriptor, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard file >= 0 else { throw .file("cannot write \(path)/\(name)") }
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress! + offset, bytes.count - offset) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { break }
            offset += count
        }
        // As the container itself would have it at its next start.
        let isWhole =
            offset == bytes.count && fchown(file, owner.user, owner.group) == 0 && fchmod(file, 0o644) == 0
            && fsync(file) == 0
        let error = DriverError.file("cannot write \(path)/\(name)")
        close(file)
        guard isWhole else {
            unlinkat(descriptor, name, 0)
            throw error
        }
    }
}

extension DriverError {
    /// What the last call of the system says by `errno`.
    static func file(_ message: String) -> DriverError {
        let code: DriverErrorCode =
            switch errno {
            case ENOENT, ENOTDIR: .notFound
            case ENOSPC, EDQUOT: .outOfSpace
            case EACCES, EPERM, EROFS: .permissionDenied
            case ELOOP: .conflict
            default: .failed
            }
        return DriverError(code, message, cause: String(cString: strerror(errno)))
    }
}
