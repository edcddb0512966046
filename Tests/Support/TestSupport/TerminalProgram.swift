import Glibc
import Synchronization

/// A program on a pseudo-terminal of its own, as somebody sits in front of it.
package final class TerminalProgram: Sendable {
    package let pid: Int32
    private let terminal: Int32
    // What Glibc's headers call TIOCSPTLCK and TIOCGPTN.
    private static let lock: UInt = 0x4004_5431
    private static let number: UInt = 0x8004_5430
    private let said = Mutex<[UInt8]>([])

    /// Starts it in a session of its own, whose terminal has the given size.
    package init(
        _ path: String, _ arguments: [String], environment: [String: String], rows: UInt16 = 24, columns: UInt16 = 80
    ) throws {
        terminal = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        var (locked, number): (Int32, UInt32) = (0, 0)
        guard terminal >= 0, ioctl(terminal, Self.lock, &locked) == 0, ioctl(terminal, Self.number, &number) == 0
        else { throw SetupFailure("no pseudo-terminal") }
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        guard ioctl(terminal, UInt(TIOCSWINSZ), &size) == 0 else { throw SetupFailure("no size") }
        pid = try Self.spawn(path, arguments, environment, on: "/dev/pts/\(number)")
        Thread.detach { [terminal] in self.read(terminal) }
    }

    deinit {
        kill(pid, SIGKILL)
        waitpid(pid, nil, WNOHANG)
        close(terminal)
    }

    /// All that appeared on the screen so far.
    package var screen: String { String(decoding: said.withLock { $0 }, as: UTF8.self) }

    package func type(_ text: String) {
        let bytes = Array(text.utf8)
        _ = write(terminal, bytes, bytes.count)
    }

    /// Changes the size of the window, which the program is told by SIGWINCH.
    package func resize(rows: UInt16, columns: UInt16) {
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(terminal, UInt(TIOCSWINSZ), &size)
    }

    /// Whether lines are edited and keys shown, as a shell leaves its terminal.
    package var isCooked: Bool {
        var mode = termios()
        let wanted = tcflag_t(ICANON | ECHO | ISIG)
        return tcgetattr(terminal, &mode) == 0 && mode.c_lflag & wanted == wanted
    }

    package func signal(_ number: Int32) { kill(pid, number) }

    /// Its exit code, 128 and the number when a signal ended it; nil when it still runs after that time.
    package func end(within limit: Duration = .seconds(60)) async throws -> Int32? {
        let last = ContinuousClock.now + limit
        var status: Int32 = 0
        while waitpid(pid, &status, WNOHANG) == 0 {
            guard ContinuousClock.now < last else { return nil }
            try await Task.sleep(for: .milliseconds(10))
        }
        return status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
    }

    private func read(_ terminal: Int32) {
        var bytes = [UInt8](repeating: 0, count: 4096)
        while case let count = Glibc.read(terminal, &bytes, bytes.count), count > 0 {
            said.withLock { $0 += bytes.prefix(count) }
        }
    }

    /// The first terminal that the leader of a session opens becomes the session's own.
    private static func spawn(
        _ path: String, _ arguments: [String], _ environment: [String: String], on terminal: String
    ) throws -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, terminal, O_RDWR, 0)
        for descriptor: Int32 in [1, 2] { posix_spawn_file_actions_adddup2(&actions, 0, descriptor) }
        return try BackgroundProgram.spawn(path, arguments, environment: environment, leadsSession: true, &actions)
    }
}

/// A thread for what blocks.
private enum Thread {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    static func detach(_ run: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        let body = Unmanaged.passRetained(Body(run)).toOpaque()
        pthread_create(
            &thread, nil,
            { context in
                if let context { Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run() }
                return nil
            }, body)
        pthread_detach(thread)
    }
}
