import DaemonKit
import Glibc
import Store

/// The small files of a data folder that a backup takes along: keys, certificates and the names in them.
enum KeptFiles {
    private static let suffixes = [".key", ".pem", ".names"]
    private static let permissions: UInt32 = 0o777

    /// All that are in the folder, by name.
    static func read(_ folder: String) throws(FileError) -> [BackupContents.File] {
        var files: [BackupContents.File] = []
        for name in try names(in: folder) {
            let path = "\(folder)/\(name)"
            var status = stat()
            guard lstat(path, &status) == 0 else { throw FileError("open", path) }
            guard status.st_mode & S_IFMT == S_IFREG else { continue }
            let mode = status.st_mode & permissions
            files.append(BackupContents.File(name: name, mode: mode, bytes: try AtomicFile.read(path)))
        }
        return files
    }

    /// A backup is not to write outside of the folder, whatever it says.
    static func isKept(_ name: String) -> Bool {
        suffixes.contains { name.hasSuffix($0) } && !name.contains("/") && !name.hasPrefix(".")
    }

    /// The names of such files, sorted.
    static func names(in folder: String) throws(FileError) -> [String] {
        guard let names = namesInFolder(folder) else { throw FileError("open", folder) }
        return names.filter(isKept).sorted()
    }
}
