import CLinux
import Glibc

/// A program that a test starts and stops by its pid. Its output goes to a file.
package final class BackgroundProgram: Sendable {
    package let pid: Int32
    package let log: String

    /// Starts it in a process group of its own; `executable` is found through PATH.
    package init(_ executable: String, _ arguments: [String], log: String) throws {
        self.log = log
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        pid = try Self.spawn(executable, arguments, &actions)
    }

    /// Starts a program in a process group of its own, without the signal mask of the thread that runs the test.
    /// - Parameters:
    ///   - environment: nil hands on that of this process.
    ///   - leadsSession: in a session of its own instead.
    static func spawn(
        _ executable: String, _ arguments: [String], environment: [String: String]? = nil, leadsSession: Bool = false,
        _ actions: inout posix_spawn_file_actions_t
    ) throws -> Int32 {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        // 0x80 is POSIX_SPAWN_SETSID.
        let group = leadsSession ? 0x80 : Int32(POSIX_SPAWN_SETPGROUP)
        posix_spawnattr_setflags(&attributes, Int16(group | Int32(POSIX_SPAWN_SETSIGMASK)))
        var words = ([executable] + arguments).map { strdup($0) } + [nil]
        var variables = environment.map { $0.map { strdup("\($0.key)=\($0.value)") } + [nil] }
        defer { for word in words + (variables ?? []) { free(word) } }
        var pid = pid_t()
        // Listeners of this process would live on in the program, and their ports with them.
        linux_close_on_exec_from(3)
        let code =
            variables == nil
            ? posix_spawnp(&pid, executable, &actions, &attributes, &words, environ)
            : posix_spawnp(&pid, executable, &actions, &attributes, &words, &variables!)
        guard code == 0 else { throw SetupFailure("cannot start \(executable): \(String(cString: strerror(code)))") }
        return pid
    }

    /// Starts a shell script whose descriptor 3 reads to its end when this process closes `input` or ends, however that
    /// happens: what the script then does is done for certain.
    static func guardian(
        _ script: String, _ arguments: [String], launcher: [String] = []
    ) throws -> (pid: Int32, input: Int32) {
        var ends: [Int32] = [0, 0]
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw SetupFailure("no pair of sockets") }
        defer { close(ends[0]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        posix_spawn_file_actions_adddup2(&actions, ends[0], 3)
        let words = launcher + ["/bin/bash", "-c", script, "guardian"] + arguments
        do {
            return (try spawn(words[0], Array(words.dropFirst()), &actions), ends[1])
        } catch {
            close(ends[1])
            throw error
        }
    }

    /// Runs it to its end. Throws with the end of its output when it fails.
    package static func run(_ executable: String, _ arguments: [String], log: String) async throws {
        let program = try BackgroundProgram(executable, arguments, log: log)
        let status = try await program.ended(within: .seconds(60)) ?? -1
        guard status == 0 else {
            throw SetupFailure("\(executable) failed (\(status)): \(program.output.suffix(2000))")
        }
    }

    package var output: String { Self.text(of: log) }

    /// The first mebibyte of a file; empty when there is none.
    static func text(of path: String) -> String {
        guard let file = fopen(path, "r") else { return "" }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }

    package func signal(_ number: Int32) { kill(pid, number) }

    /// Asks it to end, insists after the grace, and reaps it. Nothing may be asked of it afterwards.
    package func stop(grace: Duration = .seconds(20)) async {
        kill(pid, SIGTERM)
        if (try? await ended(within: grace)) ?? nil != nil { return }
        kill(pid, SIGKILL)
        while waitpid(pid, nil, 0) < 0 && errno == EINTR {}
    }

    /// Its wait status, or nil when it still runs after that time.
    private func ended(within limit: Duration) async throws -> Int32? {
        let end = ContinuousClock.now + limit
        var status: Int32 = 0
        while waitpid(pid, &status, WNOHANG) == 0 {
            guard ContinuousClock.now < end else { return nil }
            try await Task.sleep(for: .milliseconds(5))
        }
        return status
    }
}
