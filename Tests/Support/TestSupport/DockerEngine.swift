import Glibc
import Synchronization

/// A Docker engine of the tests' own: real `dockerd`, socket and data in a folder of its own, no bridge, no packet filter.
///
/// A shell stands between: it ends the engine and cleans up when its standard input closes, which also happens when the
/// test process is killed.
package final class DockerEngine: Sendable {
    package let folder: String
    package var socket: String { "\(folder)/docker.sock" }
    /// A root file system to make images of: `TarFile.busybox`.
    package var busybox: String { "\(folder)/busybox.tar" }
    private let input: Int32
    private let shell: Int32

    private static let sharing = EngineSharing()

    /// One engine for all tests of this process, started by the first that asks.
    package static func shared() async throws -> DockerEngine { try await sharing.engine() }

    /// Another one, for tests that hurt it. Must be stopped.
    /// - Parameter launcher: first words of its command line, such as `ZFSFuse.launcher`.
    package static func start(launcher: [String] = []) async throws -> DockerEngine {
        do {
            return try await DockerEngine(storage: "overlay2", launcher)
        } catch {
            return try await DockerEngine(storage: "vfs", launcher)
        }
    }

    private init(storage: String, _ launcher: [String]) async throws {
        var template = Array("/tmp/innkeeper-docker-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw SetupFailure("no temporary folder") }
        folder = String(cString: made)
        (shell, input) = try BackgroundProgram.guardian(Self.script, [folder, storage], launcher: launcher)
        let socket = socket
        let ended = "\(folder)/ended"
        let isUp = await eventually(within: .seconds(90)) { Self.answers(socket) || access(ended, F_OK) == 0 }
        guard isUp, Self.answers(socket) else {
            let log = BackgroundProgram.text(of: "\(folder)/log")
            await stop()
            throw SetupFailure("dockerd does not start (apt-get install docker.io): \(log.suffix(1500))")
        }
        try ScratchFolder.write(TarFile.busybox().bytes, at: busybox)
    }

    /// The engine's own process.
    package var pid: Int32? {
        Int32(BackgroundProgram.text(of: "\(folder)/engine.pid").prefix { $0.isNumber })
    }

    /// Ends the engine with all of its containers and removes its folder.
    package func stop() async {
        close(input)
        _ = await eventually(within: .seconds(120)) { waitpid(self.shell, nil, WNOHANG) != 0 }
    }

    /// Stops every thread of the engine until `thaw`. Its sockets go on taking connections.
    package func freeze() async throws {
        guard let pid, kill(pid, SIGSTOP) == 0 else { throw SetupFailure("the engine has no pid") }
        guard await eventually({ Self.isStopped(pid) }) else { throw SetupFailure("the engine does not freeze") }
    }

    package func thaw() {
        if let pid { kill(pid, SIGCONT) }
    }

    private static func isStopped(_ pid: Int32) -> Bool {
        guard let folder = opendir("/proc/\(pid)/task") else { return false }
        defer { closedir(folder) }
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard Int32(name) != nil else { continue }
            let status = BackgroundProgram.text(of: "/proc/\(pid)/task/\(name)/status")
            guard status.contains("State:\tT") else { return false }
        }
        return true
    }

    /// Ends the engine like `kill -9` and starts it again over the same data.
    package func crash() async throws {
        guard let pid else { throw SetupFailure("the engine has no pid") }
        kill(pid, SIGKILL)
        let socket = socket
        guard await eventually(within: .seconds(90), { self.pid != pid && Self.answers(socket) }) else {
            throw SetupFailure(
                "dockerd does not come back: \(BackgroundProgram.text(of: "\(folder)/log").suffix(1500))")
        }
    }

    /// Starts the engine again for as long as standard input is open; gives up when it ends five times.
    private static let script = #"""
        cd "$1" || exit 1
        unset DOCKER_HOST DOCKER_CONFIG
        (
            for attempt in 1 2 3 4 5; do
                rm -f engine.pid
                dockerd --iptables=false --ip6tables=false --bridge=none --storage-driver="$2" \
                    --data-root="$1/data" --exec-root="$1/exec" --pidfile="$1/engine.pid" \
                    -H "unix://$1/docker.sock" >>log 2>&1 </dev/null 3<&- &
                echo $! >child.pid
                [ -e stopping ] && kill $!
                wait $!
                [ -e stopping ] && break
                [ -e data/image ] || break
            done
            touch ended
        ) &
        keeper=$!
        cat <&3 >/dev/null
        touch stopping
        [ -s child.pid ] && kill "$(cat child.pid)" 2>/dev/null
        wait $keeper
        if [ -s exec/containerd/containerd.pid ]; then
            kill "$(cat exec/containerd/containerd.pid)" 2>/dev/null && sleep 1
        fi
        grep -o " $1/[^ ]*" /proc/mounts | sort -r | while read -r place; do umount -l "$place"; done
        cd / && rm -rf "$1"
        """#

    /// Whether somebody accepts connections at a UNIX socket.
    private static func answers(_ path: String) -> Bool {
        let descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(107)) }
        return withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
    }
}

private actor EngineSharing {
    private var starting: Task<DockerEngine, any Error>?

    func engine() async throws -> DockerEngine {
        if starting == nil { starting = Task { try await DockerEngine.start() } }
        return try await starting!.value
    }
}
