import Glibc

/// Paths of the node as they are once every link in them was followed.
package enum NodePath {
    /// The real path, as far as it is there; what is not there yet stands behind it as it was given. Nil where a link leads
    /// nowhere, or where nobody may look.
    package static func real(_ path: String) -> String? {
        var existing = path
        var rest: [String] = []
        while true {
            if let resolved = realpath(existing, nil) {
                defer { free(resolved) }
                let place = String(cString: resolved)
                return rest.isEmpty ? place : (place == "/" ? "" : place) + "/" + rest.reversed().joined(separator: "/")
            }
            var status = stat()
            guard lstat(existing, &status) != 0, errno == ENOENT, let slash = existing.lastIndex(of: "/"),
                existing != "/"
            else { return nil }
            rest.append(String(existing[existing.index(after: slash)...]))
            existing = slash == existing.startIndex ? "/" : String(existing[..<slash])
        }
    }
}

extension String {
    /// Whether the path is the folder or something below it. Both are taken as they are written.
    package func lies(in folder: String) -> Bool {
        self == folder || folder == "/" && hasPrefix("/") || hasPrefix(folder + "/")
    }

    /// Whether the path is below the folder.
    package func lies(below folder: String) -> Bool { self != folder && lies(in: folder) }
}
