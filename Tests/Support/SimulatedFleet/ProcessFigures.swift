package import Glibc

/// What the kernel says of one process. All zero for one that is gone.
package struct ProcessFigures: Sendable {
    /// Proportional share of memory, KiB.
    package private(set) var pss = 0
    /// Anonymous memory, KiB.
    package private(set) var anonymous = 0
    /// Processor time that its living threads have used, milliseconds.
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
            if fields.count > 17 { threads = Int(fields[17]) ?? 0 }
        }
        // In nanoseconds, where `stat` counts in ticks of ten milliseconds: an idle agent takes three of those a minute.
        for thread in Self.names(in: "/proc/\(pid)/task") {
            let fields = Self.lines(of: "/proc/\(pid)/task/\(thread)/schedstat").first?.split(separator: " ")
            cpu += (fields?.first.flatMap { Double($0) } ?? 0) / 1_000_000
        }
        descriptors = Self.names(in: "/proc/\(pid)/fd").count
    }

    private static func lines(of path: String) -> [Substring] {
        guard let file = fopen(path, "r") else { return [] }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n")
    }

    private static func names(in path: String) -> [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}
