import Glibc
import Model

/// Standard output and standard error.
enum Terminal {
    /// A line on standard output. What does not get there has not been answered: the program ends as failed.
    static func say(_ text: String) {
        do throws(Failure) { try write(Array((text + "\n").utf8), isError: false) } catch {
            complain(error.message)
            exit(error.code.rawValue)
        }
    }

    /// A line on standard error: progress, and what a person should know but a program should not read.
    static func note(_ text: String) { write(text + "\n", to: STDERR_FILENO) }

    /// An error on standard error.
    static func complain(_ text: String, prefix: String = "innctl: ") { note(prefix + clean(text)) }

    /// Whether people are looking at standard output.
    static var isInteractive: Bool { isatty(STDOUT_FILENO) == 1 }

    /// The columns of the terminal on standard output; nil when it goes elsewhere.
    static var width: Int? {
        var size = winsize()
        return ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : nil
    }

    /// A question on standard error, the answer beside it.
    static func prompt(_ text: String) { write(text, to: STDERR_FILENO) }

    /// Clears the screen and goes to its top, when there is one.
    static func clear() {
        if isInteractive { write("\u{1B}[H\u{1B}[2J", to: STDOUT_FILENO) }
    }

    /// `text` without what steers a terminal or turns the order of letters around: what a node or a customer says must not
    /// look like something else to the operator.
    static func clean(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    scalar == "\n" || scalar == "\t" || VisibleText.isVisible(scalar) ? scalar : "\u{FFFD}"
                }))
    }

    /// `text` that somebody else may have put line ends into, where each line must be known as a part of it: those after the
    /// first are indented behind a bar.
    static func cleanLines(_ text: String) -> String {
        clean(text).split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).joined(separator: "\n      | ")
    }

    /// Bytes as they are, for what a command said.
    /// - Throws: when they do not get there.
    static func write(_ bytes: [UInt8], isError: Bool) throws(Failure) {
        try write(
            bytes, to: isError ? STDERR_FILENO : STDOUT_FILENO, named: isError ? "standard error" : "standard output")
    }

    /// - Parameter name: what the descriptor is called in an error.
    static func write(_ bytes: [UInt8], to descriptor: Int32, named name: String) throws(Failure) {
        let code = write(bytes, to: descriptor)
        // Where the program goes on after SIGPIPE, the signal says what is to be done when nobody reads any more.
        guard code != 0, code != EPIPE else { return }
        throw Failure(.failed, "\(name) cannot be written: \(String(cString: strerror(code)))")
    }

    private static func write(_ text: String, to descriptor: Int32) { write(Array(text.utf8), to: descriptor) }

    /// Returns what was wrong; 0 when all is written.
    @discardableResult
    private static func write(_ all: [UInt8], to descriptor: Int32) -> Int32 {
        var bytes = all[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                bytes = bytes.dropFirst(count)
            } else if errno == EAGAIN {
                // Somebody else has made it one that does not wait.
                var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&ready, 1, 1000)
            } else if errno != EINTR {
                return errno
            }
        }
        return 0
    }
}
