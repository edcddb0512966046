import Glibc

/// Folders of the node.
package enum NodeFolder {
    /// The names of what is in one, without `.` and `..`, in no order; nil where it cannot be read.
    package static func names(in folder: String, atMost limit: Int = .max) -> [String]? {
        guard let open = opendir(folder) else { return nil }
        defer { closedir(open) }
        var names: [String] = []
        while names.count < limit, let entry = readdir(open) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}
