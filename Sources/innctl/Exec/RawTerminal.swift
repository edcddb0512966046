import Glibc

/// The terminal of whoever sits here, in raw mode: every key goes to the command, Ctrl-C too.
struct RawTerminal {
    private let saved: termios

    /// Nil when there is no terminal that can be set.
    init?() {
        var mode = termios()
        guard tcgetattr(STDIN_FILENO, &mode) == 0 else { return nil }
        saved = mode
        cfmakeraw(&mode)
        guard tcsetattr(STDIN_FILENO, TCSADRAIN, &mode) == 0 else { return nil }
    }

    /// As it was before.
    func restore() {
        var mode = saved
        tcsetattr(STDIN_FILENO, TCSADRAIN, &mode)
    }

    /// Rows and columns; 24 and 80 where the terminal does not say.
    static var size: (rows: Int64, columns: Int64) {
        var size = winsize()
        guard ioctl(STDIN_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0, size.ws_col > 0 else {
            return (24, 80)
        }
        return (Int64(size.ws_row), Int64(size.ws_col))
    }
}
