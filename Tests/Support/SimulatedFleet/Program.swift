import CLinux
import Glibc

/// A child program, ended by its pid.
package final class Program: Sendable {
    package let pid: Int32

    /// Starts it with the given output file (`/dev/null` where nobody reads).
    package init(_ path: String, _ arguments: [String], log: String = "/dev/null") throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        // The sockets of a simulated fleet are no business of the child's.
        linux_close_on_exec_from(3)
        var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var pid: pid_t = 0
        let status = posix_spawn(&pid, path, &actions, nil, &words, environ)
        guard status == 0 else { throw FleetFailure("cannot start \(path): \(String(cString: strerror(status)))") }
        self.pid = pid
    }

    /// Waits for its end; throws when it failed.
    package func wait() throws {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        guard status == 0 else { throw FleetFailure("process \(pid) ended with status \(status)") }
    }

    /// Asks it to end and waits; kills it when it does not within half a minute.
    package func stop() {
        kill(pid, SIGTERM)
        var status: Int32 = 0
        for _ in 0..<300 {
            if waitpid(pid, &status, WNOHANG) == pid { return }
            usleep(100_000)
        }
        killNow()
    }

    /// `kill -9`; it is gone when this returns.
    package func killNow() {
        kill(pid, SIGKILL)
        while waitpid(pid, nil, 0) < 0, errno == EINTR {}
    }

    /// Whether it has ended without being asked; reaps it then.
    package var hasEnded: Bool { waitpid(pid, nil, WNOHANG) != 0 }
}

/// What a fleet of simulated agents could not do.
package struct FleetFailure: Error, CustomStringConvertible {
    package var description: String

    package init(_ description: String) { self.description = description }
}

/// A new folder of its own below the one for temporary files.
package func temporaryFolder(_ purpose: String) throws -> String {
    let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var name = Array("\(parent)/innkeeper-\(purpose)-XXXXXX".utf8CString)
    guard mkdtemp(&name) != nil else { throw FleetFailure("no temporary folder can be made") }
    return String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// Removes a folder that `temporaryFolder` made.
package func remove(_ folder: String) {
    try? Program("/bin/rm", ["-rf", "--one-file-system", folder]).wait()
}
