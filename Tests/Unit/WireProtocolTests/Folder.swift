import Glibc
import TestSupport

/// The folder `proto/` of this source tree, read with plain C calls.
enum Folder {
    static let proto = "\(Checkout.root)/proto"

    /// Names in a folder below `proto/`, sorted; empty when it is not there.
    static func names(in folder: String) -> [String] {
        guard let handle = opendir("\(proto)/\(folder)") else { return [] }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    static func bytes(of path: String) -> [UInt8] {
        guard let file = fopen("\(proto)/\(path)", "rb") else { return [] }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&chunk, 1, chunk.count, file)
            guard count > 0 else { return bytes }
            bytes += chunk[..<count]
        }
    }
}
