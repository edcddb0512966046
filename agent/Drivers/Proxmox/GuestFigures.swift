import Glibc
import WireProtocol

/// What the kernel counts of a container that runs; nil for what it does not tell.
struct GuestFigures: Sendable {
    let vmid: Int
    /// The run of the container that the counters belong to.
    let epoch: String
    var memory: Int64?
    var processorMicroseconds: Int64?
    var processes: Int64?
    var read: Int64?
    var written: Int64?
    /// Bytes as the container sees them.
    var received: Int64?
    var sent: Int64?

    var values: [(String, Int64?)] {
        [
            ("memory_bytes", memory), ("processor_us", processorMicroseconds), ("processes", processes),
            ("read_bytes", read), ("written_bytes", written), ("network_rx_bytes", received),
            ("network_tx_bytes", sent),
        ]
    }
}

/// Files of the kernel: reading them never waits for a device or for the cluster.
extension NodeFiles {
    private var groups: String { "\(root)/sys/fs/cgroup/lxc" }
    private var cards: String { "\(root)/sys/class/net" }

    /// The containers that run, in order.
    func running() -> [GuestFigures] {
        let boot = (FileText.read("\(root)/proc/sys/kernel/random/boot_id") ?? "unknown").filter { $0 != "\n" }
        let cables = self.cables()
        return (FileText.names(in: groups) ?? []).compactMap { Int($0) }.sorted().filter(isRunning).map { vmid in
            let folder = "\(groups)/\(vmid)"
            var figures = GuestFigures(vmid: vmid, epoch: "\(boot)/\(FileText.identity(folder) ?? 0)")
            read(folder, into: &figures)
            if let own = cables[vmid] { count(own, into: &figures) }
            return figures
        }
    }

    private func read(_ folder: String, into figures: inout GuestFigures) {
        let cache = FileText.number(in: "\(folder)/memory.stat", behind: "inactive_file ") ?? 0
        figures.memory = FileText.number(in: "\(folder)/memory.current").map { $0 - min($0, cache) }
        figures.processorMicroseconds = FileText.number(in: "\(folder)/cpu.stat", behind: "usage_usec ")
        figures.processes = FileText.number(in: "\(folder)/pids.current")
        guard let transfer = FileText.read("\(folder)/io.stat") else { return }
        let words = transfer.split(whereSeparator: { $0 == " " || $0 == "\n" })
        (figures.read, figures.written) = (Self.sum(words, "rbytes="), Self.sum(words, "wbytes="))
    }

    private static func sum(_ words: [Substring], _ name: String) -> Int64 {
        words.reduce(0) { $0 &+ ($1.hasPrefix(name) ? Int64($1.dropFirst(name.count)) ?? 0 : 0) }
    }

    /// The node's ends of the containers' network cables, by container: `veth101i0`.
    private func cables() -> [Int: [String]] {
        var found: [Int: [String]] = [:]
        for name in FileText.names(in: cards) ?? [] where name.hasPrefix("veth") {
            let parts = name.dropFirst(4).split(separator: "i", omittingEmptySubsequences: false)
            if parts.count == 2, let vmid = Int(parts[0]), Int(parts[1]) != nil {
                found[vmid, default: []].append(name)
            }
        }
        return found
    }

    /// What the node's end has sent the container has received.
    private func count(_ cables: [String], into figures: inout GuestFigures) {
        let ends = cables.map { "\(cards)/\($0)/statistics" }
        let received = ends.compactMap { FileText.number(in: "\($0)/tx_bytes") }
        let sent = ends.compactMap { FileText.number(in: "\($0)/rx_bytes") }
        guard received.count == ends.count, sent.count == ends.count else { return }
        (figures.received, figures.sent) = (received.reduce(0, &+), sent.reduce(0, &+))
    }
}

extension FileText {
    /// The number that a file begins with, or that stands behind a word at the start of a line.
    static func number(in path: String, behind word: String = "") -> Int64? {
        let line = read(path)?.split(separator: "\n").first { $0.hasPrefix(word) }
        return line.flatMap { Int64($0.dropFirst(word.count).prefix { $0.isNumber }) }
    }

    /// Number of a folder within its file system; a container that starts again gets another.
    static func identity(_ path: String) -> UInt64? {
        var status = stat()
        return stat(path, &status) == 0 ? UInt64(status.st_ino) : nil
    }
}
