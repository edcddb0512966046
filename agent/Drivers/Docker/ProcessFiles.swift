import DriverKit
import Glibc

/// What the kernel shows of processes and control groups, read as small files.
enum ProcessFiles {
    /// Nil when the file is not there or larger than the limit.
    static func text(_ path: String, limit: Int = 256 << 10) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while bytes.count < limit {
            let count = read(descriptor, &piece, piece.count)
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            guard count > 0 else { return nil }
            bytes += piece[..<count]
        }
        return nil
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// The number in a file that holds only one.
    static func number(_ path: String) -> Int64? {
        text(path).flatMap { Int64($0.split(whereSeparator: \.isWhitespace).first ?? "") }
    }

    /// The number after a word at the beginning of a line: `inactive_file 4096`.
    static func number(_ word: String, in text: String) -> Int64? {
        for line in text.split(separator: "\n") where line.hasPrefix(word + " ") {
            return Int64(line.dropFirst(word.count + 1))
        }
        return nil
    }

    static func members(ofGroup group: Int32) -> [Int32] {
        (NodeFolder.names(in: "/proc") ?? []).compactMap { Int32($0) }.filter { getpgid($0) == group }
    }

    static func lies(_ pid: Int32, inContainer id: String) -> Bool {
        text("/proc/\(pid)/cgroup")?.contains(id) ?? false
    }
}

/// What one container uses now, from its control groups (version 1 or 2) and its network's counters.
struct ContainerReading: Sendable, Hashable {
    /// Without the file cache that can be given back.
    var memory: Int64
    /// Nanoseconds of all cores since the container started.
    var cpu: Int64
    var processes: Int64?
    var received: Int64?
    var sent: Int64?

    /// - Parameters:
    ///   - pid: the container's first process.
    ///   - countsNetwork: false where the container shares the node's network.
    init?(pid: Int64, id: String, countsNetwork: Bool) {
        guard pid > 0, let table = ProcessFiles.text("/proc/\(pid)/cgroup"), table.contains(id) else { return nil }
        var paths: [Substring: Substring] = [:]
        for line in table.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            for controller in parts[1].split(separator: ",", omittingEmptySubsequences: false) {
                paths[controller] = parts[2]
            }
        }
        let figures = Self.first(paths) ?? Self.second(paths)
        guard let (memory, cpu, processes) = figures else { return nil }
        (self.memory, self.cpu, self.processes) = (memory, cpu, processes)
        if countsNetwork, let devices = ProcessFiles.text("/proc/\(pid)/net/dev") {
            (received, sent) = Self.traffic(devices)
        }
    }

    private static func first(_ paths: [Substring: Substring]) -> (Int64, Int64, Int64?)? {
        guard let memory = paths["memory"], let accounting = paths["cpuacct"],
            let usage = ProcessFiles.number("/sys/fs/cgroup/memory\(memory)/memory.usage_in_bytes"),
            let cpu = ProcessFiles.number("/sys/fs/cgroup/cpuacct\(accounting)/cpuacct.usage")
        else { return nil }
        let cache = ProcessFiles.text("/sys/fs/cgroup/memory\(memory)/memory.stat")
            .flatMap { ProcessFiles.number("total_inactive_file", in: $0) }
        let processes = paths["pids"].flatMap { ProcessFiles.number("/sys/fs/cgroup/pids\($0)/pids.current") }
        return (max(0, usage.subtractingSaturating(cache ?? 0)), cpu, processes)
    }

    private static func second(_ paths: [Substring: Substring]) -> (Int64, Int64, Int64?)? {
        guard let path = paths[""], let usage = ProcessFiles.number("/sys/fs/cgroup\(path)/memory.current"),
            let times = ProcessFiles.text("/sys/fs/cgroup\(path)/cpu.stat"),
            let microseconds = ProcessFiles.number("usage_usec", in: times)
        else { return nil }
        let cache = ProcessFiles.text("/sys/fs/cgroup\(path)/memory.stat")
            .flatMap { ProcessFiles.number("inactive_file", in: $0) }
        let processes = ProcessFiles.number("/sys/fs/cgroup\(path)/pids.current")
        return (
            max(0, usage.subtractingSaturating(cache ?? 0)), min(max(0, microseconds), .max / 1000) * 1000, processes
        )
    }

    /// The sums over all devices but the loopback, of a table like `/proc/net/dev`.
    static func traffic(_ table: String) -> (received: Int64, sent: Int64) {
        var sums: (received: Int64, sent: Int64) = (0, 0)
        for line in table.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, parts[0].drop(while: { $0 == " " }) != "lo" else { continue }
            let numbers = parts[1].split(separator: " ").compactMap { UInt64($0) }
            guard numbers.count >= 9 else { continue }
            sums.received = sums.received.addingSaturating(numbers[0])
            sums.sent = sums.sent.addingSaturating(numbers[8])
        }
        return sums
    }
}

/// Figures of the kernel are unsigned and may wrap: a wild one must not end the agent.
extension Int64 {
    fileprivate func addingSaturating(_ other: UInt64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(Int64(clamping: other))
        return overflow ? .max : sum
    }

    fileprivate func subtractingSaturating(_ other: Int64) -> Int64 {
        let (rest, overflow) = subtractingReportingOverflow(other)
        return overflow ? 0 : rest
    }
}
