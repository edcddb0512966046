import Glibc

/// A file operation that the system refused: what was tried, on which path, and the system's own words.
package struct FileError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What was tried, in words: "write", "open", "lock".
    package let action: String
    package let path: String
    /// The system's error number; 0 where the refusal is our own.
    package let code: Int32
    package let reason: String

    package init(_ action: String, _ path: String, code: Int32 = errno) {
        self.action = action
        self.path = path
        self.code = code
        reason = String(cString: strerror(code))
    }

    package init(_ action: String, _ path: String, reason: String) {
        self.action = action
        self.path = path
        self.code = 0
        self.reason = reason
    }

    package var isMissing: Bool { code == ENOENT }
    package var isFull: Bool { code == ENOSPC || code == EDQUOT }
    package var description: String { "cannot \(action) \(path): \(reason)" }
}
