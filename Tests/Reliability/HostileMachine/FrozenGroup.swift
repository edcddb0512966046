import Glibc
import TestSupport

/// A control group whose members can be frozen so that they do not obey KILL either.
final class FrozenGroup: Sendable {
    private static let root = "/sys/fs/cgroup/freezer"
    static var isAvailable: Bool { access("\(root)/cgroup.procs", W_OK) == 0 }

    private let path: String
    private let folder: ScratchFolder
    var members: String { "\(path)/cgroup.procs" }
    /// A file that whoever is in the group writes.
    var mark: String { folder.file("in") }

    init() throws {
        path = "\(Self.root)/innkeeper-test-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        guard mkdir(path, 0o755) == 0 else { throw SetupFailure("no control group \(path)") }
        folder = try ScratchFolder("frozen")
    }

    deinit {
        thaw()
        rmdir(path)
    }

    var isEntered: Bool { access(mark, F_OK) == 0 }

    func freeze() { set("FROZEN") }
    func thaw() { set("THAWED") }

    private func set(_ state: String) {
        let file = open("\(path)/freezer.state", O_WRONLY | O_CLOEXEC)
        defer { close(file) }
        _ = write(file, state, state.utf8.count)
    }
}
