import Glibc

/// A control group with little memory, removed with its last reference. Works where the kernel's first layout is mounted,
/// or the second with the memory controller in its root.
package final class MemoryGroup: Sendable {
    private static let old = "/sys/fs/cgroup/memory"
    private static let new = "/sys/fs/cgroup"
    private static var isOld: Bool { access("\(old)/memory.limit_in_bytes", F_OK) == 0 }

    package static var isAvailable: Bool {
        isOld ? access("\(old)/cgroup.procs", W_OK) == 0 : access("\(new)/system.slice/memory.max", F_OK) == 0
    }

    private let path: String
    /// A process that writes its number here is in the group.
    package var members: String { "\(path)/cgroup.procs" }

    package init(bytes: Int) throws {
        path = "\(Self.isOld ? Self.old : Self.new)/innkeeper-test-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        guard mkdir(path, 0o755) == 0 else { throw SetupFailure("no control group \(path)") }
        try Self.write("\(bytes)", to: "\(path)/\(Self.isOld ? "memory.limit_in_bytes" : "memory.max")")
    }

    deinit { rmdir(path) }

    private static func write(_ text: String, to path: String) throws {
        let file = open(path, O_WRONLY | O_CLOEXEC)
        defer { close(file) }
        guard file >= 0, Glibc.write(file, text, text.utf8.count) == text.utf8.count else {
            throw SetupFailure("cannot write \(path)")
        }
    }
}
