import DriverKit
import Glibc

/// A folder that only root can enter, for files that the tool reads and that must not stay.
struct Handover {
    private static let prefix = "innkeeper-panel-"
    private let path: String

    init(in folder: String) throws(DriverError) {
        var template = Array("\(folder)/\(Self.prefix)XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw .cannotWrite(folder) }
        path = String(cString: made)
    }

    /// - Returns: the path for the tool.
    func add(_ name: String, _ text: String, mode: mode_t = 0o600) throws(DriverError) -> String {
        try Files.write(Array(text.utf8), to: "\(path)/\(name)", mode: mode)
        return "\(path)/\(name)"
    }

    /// Lets everybody read what is inside and not secret: the panel reads templates as another account.
    func open() { _ = chmod(path, 0o755) }

    func remove() { Self.remove(path) }

    /// Removes what an earlier life of this process could not.
    static func clear(in folder: String) {
        for name in Files.names(in: folder) where name.hasPrefix(prefix) { remove("\(folder)/\(name)") }
    }

    private static func remove(_ path: String) {
        for name in Files.names(in: path) { Files.remove("\(path)/\(name)") }
        rmdir(path)
    }
}
