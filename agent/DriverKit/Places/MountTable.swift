import Glibc

/// What is mounted where on the node, as the kernel tells it.
package struct MountTable: Sendable, Hashable {
    package struct Mount: Sendable, Hashable {
        /// Major and minor number of the file system.
        package let device: String
        /// What of the file system is shown: `/` unless it was bound from a folder of it.
        package let origin: String
        package let point: String
        /// `zfs`, `fuse.zfs`, `ext4`.
        package let kind: String
        /// A device, or the name of a dataset.
        package let source: String

        /// The dataset behind it; nil for another kind of file system.
        package var dataset: String? { ["zfs", "fuse.zfs"].contains(kind) ? source : nil }
    }

    /// In the order in which they were mounted: a later one hides an earlier one of the same point.
    package let mounts: [Mount]

    /// - Parameter text: as `/proc/self/mountinfo` has it. Lines of another form are left out.
    package init(_ text: String) {
        mounts = text.split(separator: "\n").compactMap { line in
            let columns = line.split(separator: " ", omittingEmptySubsequences: false)
            guard let dash = columns.firstIndex(of: "-"), dash >= 6, columns.count > dash + 2 else { return nil }
            return Mount(
                device: String(columns[2]), origin: Self.plain(columns[3]), point: Self.plain(columns[4]),
                kind: String(columns[dash + 1]), source: Self.plain(columns[dash + 2]))
        }
    }

    /// The mounts as this process sees them.
    package static func now() -> MountTable { MountTable(text()) }

    /// The same as the kernel writes it.
    package static func text() -> String {
        String(decoding: SmallFile.bytes("/proc/self/mountinfo", atMost: 16 << 20) ?? [], as: UTF8.self)
    }

    /// The mount that a path is on.
    package func mount(of path: String) -> Mount? {
        var found: Mount?
        for mount in mounts where path.lies(in: mount.point) && mount.point.utf8.count >= found?.point.utf8.count ?? 0 {
            found = mount
        }
        return found
    }

    /// What is mounted somewhere below a folder.
    package func mounts(below folder: String) -> [Mount] { mounts.filter { $0.point.lies(below: folder) } }

    /// The file system of a path, and its path within: the same for a folder and for another mount of it.
    package func spot(of path: String) -> (device: String, path: String)? {
        guard let mount = mount(of: path) else { return nil }
        let rest = mount.point == "/" ? path : String(path.dropFirst(mount.point.count))
        let inner = (mount.origin == "/" ? "" : mount.origin) + (rest == "/" ? "" : rest)
        return (mount.device, inner.isEmpty ? "/" : inner)
    }

    /// Blanks and the like stand as a backslash and three octal digits.
    private static func plain(_ text: Substring) -> String {
        guard text.contains("\\") else { return String(text) }
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == 0x5C, rest.count >= 3,
                let code = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8)
            {
                bytes.append(code)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Files of the kernel and of configuration, read whole.
enum SmallFile {
    /// Nil when there is no such file; longer ones are cut.
    static func bytes(_ path: String, atMost limit: Int) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 32 << 10)
        while bytes.count < limit {
            let count = read(file, &piece, min(piece.count, limit - bytes.count))
            guard count > 0 else { break }
            bytes += piece[..<count]
        }
        return bytes
    }
}
