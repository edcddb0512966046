import Glibc

/// The terminal of whoever sits here, in raw mode: every key goes to the command, Ctrl-C too.
enum RawTerminal {
    /// Sets the mode, as far as there is a terminal; `Departure.restore` undoes it.
    static func begin() {
        var mode = termios()
        guard tcgetattr(STDIN_FILENO, &mode) == 0 else { return }
        Departure.willRestore(mode)
        cfmakeraw(&mode)
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
