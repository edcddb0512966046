import CLibSSL

/// A key, certificate, request or cipher operation that could not be done.
package struct CryptoError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What was tried, in words: "read the certificate".
    package let operation: String
    /// Why it failed; never contains key material.
    package let reason: String

    package init(operation: String, reason: String) {
        self.operation = operation
        self.reason = reason
    }

    package var description: String { "cannot \(operation): \(reason)" }

    /// The reason is taken from the library's error queue of this thread.
    static func fromLibrary(_ operation: String) -> CryptoError {
        CryptoError(operation: operation, reason: LibraryErrors.drain() ?? "the library gave no reason")
    }
}

/// libcrypto's error queue. It belongs to the thread, so every connection on an event loop shares it:
/// it is cleared before each call whose outcome is looked up in it.
enum LibraryErrors {
    static func clear() { ERR_clear_error() }

    /// The first error as text; empties the queue.
    static func drain() -> String? {
        let first = ERR_get_error()
        ERR_clear_error()
        return first == 0 ? nil : text(of: first)
    }

    static func text(of error: UInt) -> String {
        if let reason = ERR_reason_error_string(error) { return String(cString: reason) }
        return "error \(String(error, radix: 16))"
    }
}
