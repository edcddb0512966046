import DriverKit
import Glibc
import Model
import WireProtocol

/// Where a project lives on the node.
struct ComposeFolder: Sendable {
    /// An empty file in the place of `.env`: nothing stray is read.
    static let noVariables = ".no-variables"
    private static let backupsKept = 10

    let path: String

    var file: String { "\(path)/compose.yaml" }
    var candidate: String { "\(path)/.compose.next.yaml" }
    /// Relative paths of the file lie here.
    var data: String { "\(path)/data" }
    private var backups: String { "\(path)/backups" }
    private var variablesFile: String { "\(path)/variables.json" }

    init(root: String, project: String) { path = "\(root)/\(project)" }

    /// Makes the folder, for root alone; only `data` inside is shown to containers.
    func prepare() throws(DriverError) {
        for (folder, mode) in [(path, mode_t(0o700)), (backups, 0o700), (data, 0o755)] {
            try Self.makeFolder(folder, mode)
        }
        try Self.write([], to: "\(path)/\(Self.noVariables)")
    }

    func content() throws(DriverError) -> [UInt8]? { try Self.read(file) }

    func write(candidate text: String) throws(DriverError) { try Self.write(Array(text.utf8), to: candidate) }

    func discardCandidate() { unlink(candidate) }

    /// Puts the candidate in the place of the file; the file before it stays as a backup. Whenever the process dies, one
    /// whole file is there.
    /// - Returns: the backup, nil when there was no file.
    func accept() throws(DriverError) -> String? {
        var backup: String?
        if access(file, F_OK) == 0 {
            let name = "\(backups)/compose.\(Timestamp.now().milliseconds).yaml"
            guard link(file, name) == 0 || errno == EEXIST else { throw .system("cannot back up \(file)") }
            backup = name
        }
        guard rename(candidate, file) == 0 else { throw .system("cannot replace \(file)") }
        Self.sync(path)
        forgetOldBackups()
        return backup
    }

    /// The way back. Without a backup there was no file.
    func restore(_ backup: String?) throws(DriverError) {
        guard let backup else {
            unlink(file)
            return
        }
        guard let bytes = try Self.read(backup) else { throw DriverError(.failed, "the backup \(backup) is gone") }
        try Self.write(bytes, to: file)
    }

    private func forgetOldBackups() {
        let names = Self.names(in: backups).filter { $0.hasPrefix("compose.") }.sorted()
        for name in names.dropLast(Self.backupsKept) { unlink("\(backups)/\(name)") }
    }

    // MARK: variables

    func variables() throws(DriverError) -> ComposeVariables {
        guard let bytes = try Self.read(variablesFile) else { return ComposeVariables() }
        guard let value = try? JSONParser.parse(bytes, limits: .local), let object = value.asObject else {
            throw DriverError(.failed, "\(variablesFile) cannot be read")
        }
        return ComposeVariables(
            plain: object["plain"]?.asObject?.texts ?? [:], secret: object["secret"]?.asObject?.texts ?? [:])
    }

    func write(_ variables: ComposeVariables) throws(DriverError) {
        func object(_ texts: [String: String]) -> JSONValue {
            .object(JSONObject(texts.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))
        }
        let value: JSONValue = ["plain": object(variables.plain), "secret": object(variables.secret)]
        try Self.write(value.encoded, to: variablesFile)
    }

    /// Removes what the driver has written, not what containers keep in `data`.
    func removeFiles() {
        for name in Self.names(in: backups) where name.hasPrefix("compose.") { unlink("\(backups)/\(name)") }
        rmdir(backups)
        for name in ["compose.yaml", ".compose.next.yaml", "variables.json", Self.noVariables] {
            unlink("\(path)/\(name)")
        }
        rmdir(data)
        rmdir(path)
    }

    // MARK: files

    static func names(in folder: String) -> [String] { NodeFolder.names(in: folder) ?? [] }

    private static func makeFolder(_ path: String, _ mode: mode_t) throws(DriverError) {
        var missing: [String] = []
        var place = path
        while place.count > 1, mkdir(place, mode) != 0 {
            if errno == EEXIST { break }
            guard errno == ENOENT else { throw .system("cannot make \(place)") }
            missing.append(place)
            place = String(place[..<(place.lastIndex(of: "/") ?? place.startIndex)])
        }
        for folder in missing.reversed() where mkdir(folder, mode) != 0 && errno != EEXIST {
            throw .system("cannot make \(folder)")
        }
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw DriverError(.conflict, "\(path) is no folder")
        }
    }

    private static func read(_ path: String) throws(DriverError) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw .system("cannot read \(path)")
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(descriptor, &piece, piece.count)
            guard count >= 0 else { throw .system("cannot read \(path)") }
            if count == 0 { return bytes }
            bytes += piece[..<count]
            guard bytes.count <= 16 << 20 else { throw DriverError(.failed, "\(path) is larger than 16 MiB") }
        }
    }

    /// Whole or not at all, for root alone, on the disk before it counts.
    private static func write(_ bytes: [UInt8], to path: String) throws(DriverError) {
        let next = "\(path).new"
        unlink(next)
        let descriptor = open(next, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .system("cannot write \(path)") }
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress! + offset, bytes.count - offset)
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { break }
            offset += count
        }
        let isWhole = offset == bytes.count && fsync(descriptor) == 0
        let problem = errno
        close(descriptor)
        guard isWhole, rename(next, path) == 0 else {
            if !isWhole { errno = problem }
            let error = DriverError.system("cannot write \(path)")
            unlink(next)
            throw error
        }
        sync(String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]))
    }

    private static func sync(_ folder: String) {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }
}

extension DriverError {
    /// What the last call of the system says by `errno`.
    static func system(_ message: String) -> DriverError {
        let code: DriverErrorCode =
            switch errno {
            case ENOSPC, EDQUOT: .outOfSpace
            case EACCES, EPERM, EROFS: .permissionDenied
            default: .failed
            }
        return DriverError(code, message, cause: String(cString: strerror(errno)))
    }
}
