import WireProtocol
import Glibc
import Metering
import Model
import Processes
import SQL
import SQLite
import SiteSupport
import Store
import TestSupport
import Testing

/// A node of a real installation that measures itself: its uptime tells when each sample was taken, and one counter of
/// processor time grows as the test says.
final class Measured: Sendable {
    let installation: Installation
    let agent: Daemon
    private let counter: String
    private static let id = String(repeating: "ab", count: 32)

    init() async throws {
        installation = try await Installation(
            "measured", configuration: ["sample_ms": 200, "heartbeat_ms": 1000])
        let root = installation.folder.file("root")
        let group = "\(root)/sys/fs/cgroup/docker/\(Self.id)"
        for folder in ["", "/proc", "/sys", "/sys/fs", "/sys/fs/cgroup", "/sys/fs/cgroup/docker"] {
            mkdir("\(root)\(folder)", 0o755)
        }
        mkdir(group, 0o755)
        symlink("/proc/uptime", "\(root)/proc/uptime")
        counter = "\(group)/cpu.stat"
        agent = try installation.agent(
            "agent", configuration: ["drivers": ["host"], "host_root": .string(root), "log_level": "debug"])
        try installation.folder.write(Array("cpu memory\n".utf8), to: "root/sys/fs/cgroup/cgroup.controllers")
        try count(milliseconds: 0)
        try await installation.open()
        try await installation.enrol("agent", label: "role=measured")
        try agent.start()
        try await installation.settle()
    }

    /// The container has used so much until now.
    func count(milliseconds: Int) throws {
        // At once or not at all: the agent reads whenever it likes.
        try installation.folder.write(Array("usage_usec \(milliseconds * 1000)\n".utf8), to: "cpu.stat.new")
        guard rename(installation.folder.file("cpu.stat.new"), counter) == 0 else { throw SetupFailure("rename") }
    }

    /// A copy of the controller's store as it is now.
    func store() async throws -> Store {
        let file = installation.folder.file("copy-\(UInt32.random(in: 0 ... .max)).sqlite")
        let outcome = try await Programs.run(
            "innkeeper-controller", ["backup", "--data", installation.folder.file("controller"), file])
        guard outcome.succeeded else { throw SetupFailure("backup: \(outcome.errorText)") }
        try await Store.unpack(backup: file, to: "\(file).store")
        return try Store(path: "\(file).store")
    }

    /// How many samples have been numbered, once the agent has ended.
    func taken() throws -> Int64 {
        let spool = try SQLiteDatabase(path: installation.folder.file("agent/spool.sqlite"))
        defer { spool.close() }
        return try spool.first("SELECT used FROM numbers WHERE kind = 0") { (row) throws(SQLError) in
            try row.integer()
        } ?? 0
    }
}
