import Glibc
import TestSupport

/// What a process holds now, from /proc.
struct ProcessFigures: Sendable {
    /// Anonymous resident memory in bytes.
    var memory: Int
    /// Open descriptors.
    var descriptors: Int

    init(of pid: Int32) throws {
        guard let memory = Self.anonymous(pid), let folder = opendir("/proc/\(pid)/fd") else {
            throw SetupFailure("process \(pid) is gone")
        }
        defer { closedir(folder) }
        var count = 0
        while let entry = readdir(folder) { if entry.pointee.d_name.0 != CChar(UInt8(ascii: ".")) { count += 1 } }
        (self.memory, descriptors) = (memory, count)
    }

    private static func anonymous(_ pid: Int32) -> Int? {
        guard let file = fopen("/proc/\(pid)/status", "r") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, Int32(line.count), file) != nil {
            let words = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
                .split { $0.isWhitespace }
            if words.first == "RssAnon:", words.count > 1, let kibibytes = Int(words[1]) { return kibibytes << 10 }
        }
        return nil
    }
}
