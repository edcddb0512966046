import Glibc
import NIOCore
import NIOPosix

/// Why there is no connection, or no listener, in words for an operator: what the system says, without the names of calls.
package enum ConnectionReason {
    package static func text(_ error: any Error) -> String {
        switch error {
        case let error as NIOConnectionError: connection(error)
        case let error as IOError: String(cString: strerror(error.errnoCode))
        case ChannelError.connectTimeout(let time): "no answer within \(time.nanoseconds / 1_000_000_000) s"
        case ChannelError.eof, ChannelError.inputClosed, ChannelError.ioOnClosedChannel, ChannelError.alreadyClosed:
            "the connection was closed"
        default: "\(error)"
        }
    }

    /// Of several addresses each may have its own reason; those that say the same are told once.
    private static func connection(_ error: NIOConnectionError) -> String {
        guard !error.connectionErrors.isEmpty else { return "the name \(error.host) cannot be resolved" }
        var told: [String] = []
        for failure in error.connectionErrors {
            let reason = text(failure.error)
            if !told.contains(reason) { told.append(reason) }
        }
        return told.joined(separator: "; ")
    }
}

/// A port that this process cannot listen at.
package struct ListenError: Error, Sendable, Hashable, CustomStringConvertible {
    package let description: String

    /// - Parameter what: who listens there: `the API`.
    package init(_ what: String, host: String, port: Int, _ error: any Error) {
        let reason = ConnectionReason.text(error)
        let isTaken = (error as? IOError)?.errnoCode == EADDRINUSE
        description =
            "\(what) cannot listen at \(host):\(port): \(reason)"
            + (isTaken ? "; another process has that port (ss -ltnp shows which)" : "")
    }
}
