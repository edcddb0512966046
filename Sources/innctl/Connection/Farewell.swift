import Glibc

/// The last words of a program that only looks on: whoever interrupts it must know that the work goes on.
enum Farewell {
    // Written before the handlers that read it are set, and never given back.
    nonisolated(unsafe) private static var words: UnsafeMutableBufferPointer<UInt8>?

    /// From now on SIGINT, SIGTERM and SIGHUP end the program with a word on standard error about the operation.
    static func arm(operation id: String) {
        let text = Array("\ninnctl: \(goesOn(id))\n".utf8)
        let place = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: text.count)
        _ = place.initialize(from: text)
        words = place
        for number in [SIGINT, SIGTERM, SIGHUP] {
            signal(number) { number in
                if let words = Farewell.words { _ = write(STDERR_FILENO, words.baseAddress, words.count) }
                _exit(128 + number)
            }
        }
    }

    /// Nothing is looked at any more: the signals mean what they always do.
    static func disarm() {
        for number in [SIGINT, SIGTERM, SIGHUP] { signal(number, SIG_DFL) }
    }

    static func goesOn(_ id: String) -> String {
        "operation \(Terminal.clean(id)) goes on; follow it with `innctl operation watch \(Terminal.clean(id))`, "
            + "stop it with `innctl operation cancel \(Terminal.clean(id))`"
    }
}
