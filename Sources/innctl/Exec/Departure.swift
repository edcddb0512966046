import Glibc

/// Signals that end this program or tell it something, as bytes of a pipe for whoever waits. A terminal in raw mode is put
/// back on every way out.
enum Departure {
    /// What somebody ends the program with.
    private static let endings = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE]

    // All are written before the handlers that read them are set, or by these alone.
    nonisolated(unsafe) private static var writer: Int32 = -1
    nonisolated(unsafe) private static var terminal: UnsafeMutablePointer<termios>?
    /// Milliseconds of the monotonic clock at the first of them; 0 before.
    nonisolated(unsafe) private static var firstSignal: Int64 = 0

    /// What comes within this time after the first is the same wish: `timeout` and terminals signal the process and its
    /// group at once.
    private static let oneWish: Int64 = 500

    /// From now on the first of the signals that end a program only comes out of the pipe, and the second, half a second
    /// later or more, ends it. A window that has another size comes out as SIGWINCH.
    /// - Returns: the descriptor to read the numbers of the signals from.
    static func arm() -> Int32 {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return -1 }
        // A handler must never wait.
        _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
        writer = ends[1]
        for number in endings {
            signal(number) { number in
                guard Departure.firstSignal == 0 else {
                    if Departure.now - Departure.firstSignal >= Departure.oneWish { Departure.leave(by: number) }
                    return
                }
                Departure.firstSignal = Departure.now
                // Every later write to a reader that is gone would be the second.
                if number == SIGPIPE { signal(SIGPIPE, SIG_IGN) }
                Departure.tell(number)
            }
        }
        signal(SIGWINCH) { number in Departure.tell(number) }
        return ends[0]
    }

    /// The mode that the terminal on standard input is to have in the end.
    static func willRestore(_ mode: termios) {
        let place = UnsafeMutablePointer<termios>.allocate(capacity: 1)
        place.initialize(to: mode)
        terminal = place
    }

    /// Puts the terminal back. It may be called from a handler and more than once.
    static func restore() {
        if let terminal { tcsetattr(STDIN_FILENO, TCSANOW, terminal) }
    }

    private static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    private static func leave(by number: Int32) {
        restore()
        _exit(128 + number)
    }

    private static func tell(_ number: Int32) {
        let saved = errno
        var byte = UInt8(truncatingIfNeeded: number)
        _ = Glibc.write(writer, &byte, 1)
        errno = saved
    }
}
