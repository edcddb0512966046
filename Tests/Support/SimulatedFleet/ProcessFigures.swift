package import Glibc

/// What the kernel says of one process. All zero for one that is gone.
package struct ProcessFigures: Sendable {
    /// Proportional share of memory, KiB.
    package private(set) var pss = 0
    /// Anonymous memory, KiB.
    package private(set) var anonymous = 0
    /// Processor time used since its start, milliseconds.
    package private(set) var cpu = 0.0
    package private(set) var threads = 0
    package private(set) var descriptors = 0

    package init(pid: pid_t) {
        for line in Self.lines(of: "/proc/\(pid)/smaps_rollup") {
            let words = line.split(separator: " ")
            guard words.count >= 2, let value = Int(words[1]) else { continue }
            if words[0] == "Pss:" { pss = value }
            if words[0] == "Anonymous:" { anonymous = value }
        }
        // The name may hold spaces and brackets: fields are counted from the last bracket.
        if let stat = Self.lines(of: "/proc/\(pid)/stat").first, let end = stat.lastIndex(of: ")") {
            let fields = stat[stat.index(after: end)...].split(separator: " ")
            if fields.count > 17, let user = Double(fields[11]), let system = Double(fields[12]) {
                cpu = (user + system) * 1000 / Double(sysconf(Int32(_SC_CLK_TCK)))
                threads = Int(fields[17]) ?? 0
            }
        }
        descriptors = Self.entries(of: "/proc/\(pid)/fd")
    }

    private static func lines(of path: String) -> [Substring] {
        guard let file = fopen(path, "r") else { return [] }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n")
    }

    private static func entries(of path: String) -> Int {
        guard let folder = opendir(path) else { return 0 }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        return max(0, count - 2)
    }
}
