import Glibc

/// Standard output and standard error.
enum Terminal {
    /// A line on standard output.
    static func say(_ text: String) { write(text + "\n", to: STDOUT_FILENO) }

    /// A line on standard error: progress, and what a person should know but a program should not read.
    static func note(_ text: String) { write(text + "\n", to: STDERR_FILENO) }

    /// An error on standard error.
    static func complain(_ text: String, prefix: String = "innctl: ") { note(prefix + clean(text)) }

    /// Whether people are looking at standard output.
    static var isInteractive: Bool { isatty(STDOUT_FILENO) == 1 }

    /// Clears the screen and goes to its top, when there is one.
    static func clear() {
        if isInteractive { write("\u{1B}[H\u{1B}[2J", to: STDOUT_FILENO) }
    }

    /// `text` without control characters: what a node reports must not steer the operator's terminal.
    static func clean(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    let isControl = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
                    return isControl && scalar != "\n" && scalar != "\t" ? "\u{FFFD}" : scalar
                }))
    }

    /// Bytes as they are, for what a command said.
    static func write(_ bytes: [UInt8], isError: Bool) { write(bytes, to: isError ? STDERR_FILENO : STDOUT_FILENO) }

    private static func write(_ text: String, to descriptor: Int32) { write(Array(text.utf8), to: descriptor) }

    private static func write(_ all: [UInt8], to descriptor: Int32) {
        var bytes = all[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                bytes = bytes.dropFirst(count)
            } else if errno != EINTR {
                return
            }
        }
    }
}
