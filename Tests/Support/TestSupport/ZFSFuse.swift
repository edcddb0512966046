import Glibc
package import Processes
import Synchronization

/// A real ZFS for tests: a zfs-fuse daemon with one pool on a sparse file, in a mount namespace of its own.
///
/// zfs-fuse has one fixed socket, lock and cache file per machine. Here each daemon gets empty directories in their place
/// in a private copy of the caller's mounts, so that any number of test runs, and a daemon of the machine, live side by
/// side. The price: the datasets are mounted in that namespace only. Whatever is to use them (`zfs`, an agent, an
/// engine) is started behind `launcher`; the test itself sees files by `path`.
///
/// The daemon, its pool and its files go when `stop` is called or when this process ends, however it ends.
package final class ZFSFuse: Sendable {
    /// Name of the pool, unique on this machine.
    package let pool: String
    /// Where the pool's own file system is mounted, in the daemon's namespace.
    package let mountpoint: String
    /// First words of a command line that runs in the daemon's namespace. Give absolute paths behind it.
    package let launcher: [String]
    private let guardian: pid_t
    /// The daemon's own process.
    package let daemon: Int32
    private let input: AsyncStream<[UInt8]>.Continuation
    private let run: Task<ProcessOutcome, any Error>

    /// Whether this machine can run it: as root, with FUSE and the Debian package `zfs-fuse`.
    package static var isAvailable: Bool {
        geteuid() == 0 && access("/dev/fuse", W_OK) == 0
            && ["zfs-fuse", "zpool", "zfs"].allSatisfy { access("/usr/sbin/\($0)", X_OK) == 0 }
    }

    /// One for all tests of this process, started at the first use; each test takes a dataset name of its own.
    package static func shared() async throws -> ZFSFuse { try await started.value }
    private static let started = Task { try await ZFSFuse.start() }

    /// Starts a daemon and makes a pool of the given size, which takes space only as it is written to.
    package static func start(bytes: Int = 256 << 20) async throws -> ZFSFuse {
        let pool = "test\(getpid())x\(UInt32.random(in: 0 ... .max))"
        let directory = "/tmp/innkeeper-\(pool)"
        let (stdin, input) = AsyncStream<[UInt8]>.makeStream()
        let guardian = Mutex("")
        let request = ProcessRequest(
            "/usr/bin/unshare",
            ["--mount", "--propagation", "private", "/bin/sh", "-c", script, "zfs-for-tests", directory],
            standardInput: .stream(stdin))
        let run = Task {
            try await Child.run(request) { stream, bytes in
                if stream == .stdout { guardian.withLock { $0 += String(decoding: bytes, as: UTF8.self) } }
            }
        }
        let zfs = try await ZFSFuse(
            pool: pool, directory: directory, input: input, run: run, guardian: { guardian.withLock { $0 } })
        try await zfs.makePool(on: "\(directory)/pool.img", bytes: bytes)
        return zfs
    }

    /// Ends the daemon and removes the pool with everything in it.
    package func stop() async {
        input.finish()
        _ = try? await run.value
    }

    /// Runs `zfs` or `zpool` (or anything else) in the daemon's namespace.
    @discardableResult
    package func command(_ words: String...) async throws -> ProcessOutcome { try await command(words) }

    @discardableResult
    package func command(_ words: [String]) async throws -> ProcessOutcome {
        try await Child.run(ProcessRequest(launcher[0], launcher.dropFirst() + words, deadline: .seconds(60)))
    }

    /// A path of the daemon's namespace as this process reaches it.
    package func path(_ path: String) -> String { "/proc/\(guardian)/root\(path)" }

    private init(
        pool: String, directory: String, input: AsyncStream<[UInt8]>.Continuation, run: Task<ProcessOutcome, any Error>,
        guardian: () -> String
    ) async throws {
        self.pool = pool
        self.input = input
        self.run = run
        mountpoint = "\(directory)/\(pool)"
        for _ in 0..<600 where !guardian().hasSuffix("\n") { try await Task.sleep(for: .milliseconds(50)) }
        let pids = guardian().split { $0.isWhitespace }.compactMap { pid_t($0) }
        guard let pid = pids.first, let daemon = pids.last, pids.count == 2 else {
            throw ZFSFuseError.notStarted(guardian())
        }
        (self.guardian, self.daemon) = (pid, daemon)
        launcher = ["/usr/bin/nsenter", "--target", "\(pid)", "--mount", "--"]
    }

    private func makePool(on file: String, bytes: Int) async throws {
        try await demand("/usr/bin/truncate", "--size", "\(bytes)", file)
        for _ in 0..<600 {
            if try await command("/usr/sbin/zpool", "list").succeeded { break }
            try await Task.sleep(for: .milliseconds(50))
        }
        try await demand("/usr/sbin/zpool", "create", "-m", mountpoint, pool, file)
    }

    private func demand(_ words: String...) async throws {
        let outcome = try await Child.run(ProcessRequest(launcher[0], launcher.dropFirst() + words))
        guard outcome.succeeded else { throw ZFSFuseError.notStarted("\(words): \(outcome.errorText)") }
    }

    /// The guardian: makes the namespace, starts the daemon, tells its own number, and cleans up when its input ends.
    private static let script = """
        set -e
        directory=$1
        mkdir -p "$directory" /run/zfs /run/lock/zfs /var/lib/zfs
        for place in /run/zfs /run/lock/zfs /var/lib/zfs; do mount -t tmpfs -o size=4m zfs-for-tests $place; done
        zfs-fuse --no-daemon --no-kstat-mount --max-arc-size 16 >"$directory/daemon.log" 2>&1 </dev/null &
        daemon=$!
        echo $$ $daemon
        cat >/dev/null
        set +e
        kill -KILL $daemon
        cd /
        grep " $directory/" /proc/self/mounts | cut -d ' ' -f 2 | sort -r | while read -r place; do
            umount --lazy "$place"
        done
        rm -rf "$directory"
        """
}

package enum ZFSFuseError: Error {
    case notStarted(String)
}
