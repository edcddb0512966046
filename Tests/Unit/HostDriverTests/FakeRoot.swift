import Glibc
import Testing

/// A directory that stands in for `/`, with files as a test writes them.
final class FakeRoot {
    let path: String

    init(_ files: [String: String] = [:]) throws {
        path = "/tmp/innkeeper-root-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        try #require(mkdir(path, 0o755) == 0)
        for (name, text) in files { try write(text, to: name) }
    }

    deinit {
        Self.remove(path)
    }

    func write(_ text: String, to name: String) throws {
        var folder = path
        for part in name.split(separator: "/").dropLast() {
            folder += "/\(part)"
            mkdir(folder, 0o755)
        }
        let file = open(path + name, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        try #require(file >= 0)
        defer { close(file) }
        #expect(Glibc.write(file, text, text.utf8.count) == text.utf8.count)
    }

    func remove(folder: String) { Self.remove(path + folder) }

    func move(folder: String, to name: String) { #expect(rename(path + folder, path + name) == 0) }

    private static func remove(_ path: String) {
        if let directory = opendir(path) {
            while let entry = readdir(directory) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                if name != "." && name != ".." { remove("\(path)/\(name)") }
            }
            closedir(directory)
        }
        Glibc.remove(path)
    }

    /// A container of Docker as version 1 of control groups shows it.
    func addVersion1(_ group: String, cpuNanoseconds: Int, memory: Int, inactive: Int, processes: Int) throws {
        let base = "/sys/fs/cgroup"
        try write("\(cpuNanoseconds)\n", to: "\(base)/cpuacct\(group)/cpuacct.usage")
        try write("\(memory)\n", to: "\(base)/memory\(group)/memory.usage_in_bytes")
        try write("9223372036854771712\n", to: "\(base)/memory\(group)/memory.limit_in_bytes")
        try write(
            "cache 5\ninactive_file 7\ntotal_cache 9\ntotal_inactive_file \(inactive)\n",
            to: "\(base)/memory\(group)/memory.stat")
        try write("\(processes)\n", to: "\(base)/pids\(group)/pids.current")
        try write(
            "8:0 Read 1000\n8:0 Write 2000\n8:0 Sync 0\n8:0 Total 3000\n8:16 Read 1\n8:16 Write 2\nTotal 3003\n",
            to: "\(base)/blkio\(group)/blkio.throttle.io_service_bytes")
    }

    func addVersion2(_ group: String, cpuMicroseconds: Int, memory: Int, inactive: Int, limit: String) throws {
        let base = "/sys/fs/cgroup\(group)"
        try write("usage_usec \(cpuMicroseconds)\nuser_usec 1\nsystem_usec 2\n", to: "\(base)/cpu.stat")
        try write("\(memory)\n", to: "\(base)/memory.current")
        try write("\(limit)\n", to: "\(base)/memory.max")
        try write("anon 1\nfile 2\nactive_file 9\ninactive_file \(inactive)\n", to: "\(base)/memory.stat")
        try write("7\n", to: "\(base)/pids.current")
        try write(
            "259:0 rbytes=1000 wbytes=2000 rios=1 wios=2 dbytes=0 dios=0\n259:1 rbytes=1 wbytes=2 rios=0 wios=0 dbytes=0 dios=0\n",
            to: "\(base)/io.stat")
    }
}
