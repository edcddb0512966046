import Glibc
import TestSupport

/// The `openssl` command as the other side of a connection. Input through a pipe, output into a file.
final class OpenSSLProgram: Sendable {
    let pid: Int32
    private let input: Int32
    private let log: String
    private let folder: ScratchFolder

    init(_ arguments: [String], in folder: ScratchFolder) throws {
        self.folder = folder
        log = folder.file("openssl-\(UInt32.random(in: 0 ... .max)).log")
        var pipe: [Int32] = [0, 0]
        guard pipe2(&pipe) else { throw Failure(what: "pipe") }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, pipe[0], 0)
        posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var words = (["openssl"] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var pid = pid_t()
        let code = posix_spawnp(&pid, "openssl", &actions, &attributes, &words, environ)
        close(pipe[0])
        guard code == 0 else {
            close(pipe[1])
            throw Failure(what: "openssl: \(String(cString: strerror(code)))")
        }
        (self.pid, input) = (pid, pipe[1])
    }

    deinit {
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
        close(input)
    }

    /// Runs it with no input to its end.
    @discardableResult
    static func run(_ arguments: [String], in folder: ScratchFolder) async throws -> String {
        let program = try OpenSSLProgram(arguments, in: folder)
        let status = try await program.ended()
        guard status == 0 else { throw Failure(what: "openssl \(arguments): \(program.output)") }
        return program.output
    }

    var output: String { text(of: log) }

    func say(_ text: String) {
        let bytes = Array(text.utf8)
        _ = write(input, bytes, bytes.count)
    }

    func signal(_ number: Int32) { kill(pid, number) }

    func outputs(_ text: String) async throws {
        try await eventually("openssl says “\(text)”: \(output)") { self.output.contains(text) }
    }

    /// Waits for its end; the wait status.
    @discardableResult
    func ended() async throws -> Int32 {
        var status: Int32 = 0
        try await eventually("openssl ends: \(output)") {
            var info = siginfo_t()
            // WNOWAIT: the process stays ours until deinit reaps it.
            waitid(P_PID, id_t(self.pid), &info, WEXITED | WNOHANG | WNOWAIT)
            status = info._sifields._sigchld.si_status
            return info.si_signo == SIGCHLD
        }
        return status
    }
}

struct Failure: Error, CustomStringConvertible {
    let what: String
    var description: String { what }
}

private func pipe2(_ ends: inout [Int32]) -> Bool {
    guard pipe(&ends) == 0 else { return false }
    return ends.allSatisfy { fcntl($0, F_SETFD, FD_CLOEXEC) == 0 }
}

/// Waits for a condition, far longer than it can need.
func eventually(
    _ what: @autoclosure () -> String, within limit: Duration = .seconds(60), _ condition: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + limit
    while ContinuousClock.now < end {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(10))
    }
    throw Failure(what: "never happened: \(what())")
}
