import Glibc
import TestSupport

/// What a process holds of its machine at one moment.
struct Census: Equatable, CustomStringConvertible {
    var threads: Int
    var descriptors: Int
    /// Its living children and its dead ones that nobody has waited for.
    var children: Int

    init(of pid: Int32) {
        threads = Self.entries("/proc/\(pid)/task").count
        descriptors = Self.entries("/proc/\(pid)/fd").count
        children = Self.entries("/proc/\(pid)/task").reduce(0) { sum, task in
            sum + Self.text("/proc/\(pid)/task/\(task)/children").split(separator: " ").count
        }
    }

    var description: String { "\(threads) threads, \(descriptors) descriptors, \(children) children" }

    /// Whether nothing has come to it since `before`.
    /// - Parameter connections: idle ones that an engine's client may keep for its next request.
    func isNoMore(than before: Census, connections: Int = 0) -> Bool {
        threads <= before.threads && descriptors <= before.descriptors + connections && children <= before.children
    }

    /// Bytes that no file stands behind.
    static func anonymousMemory(of pid: Int32) -> Int {
        for line in text("/proc/\(pid)/status").split(separator: "\n") where line.hasPrefix("RssAnon:") {
            return line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }.map { $0 << 10 }
                ?? 0
        }
        return 0
    }

    /// Processes whose command line has the words in it, the test's own shells aside.
    static func processes(with words: String) -> [Int32] {
        entries("/proc").compactMap { Int32($0) }.filter { pid in
            pid != getpid() && text("/proc/\(pid)/cmdline").replacing("\0", with: " ").contains(words)
        }
    }

    static func entries(_ path: String) -> [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names
    }

    static func text(_ path: String) -> String {
        guard let file = fopen(path, "r") else { return "" }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 64 << 10)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }
}
