import NIOCore
import Synchronization
import Transport

/// Counts the streams of HTTP/2 on connections that have not shown a valid key. Each of them costs what a connection of
/// HTTP/1.1 costs, and the gate counts only connections.
final class UnauthenticatedStreams: Sendable {
    private struct Counts {
        var all = 0
        var ofAddress: [String: Int] = [:]
    }

    private let total: Int
    private let perAddress: Int
    private let counts = Mutex(Counts())

    /// - Parameter perAddress: twice what one connection may have, so that a caller whose first request is still being
    ///   looked at is not turned away.
    init(total: Int, perAddress: Int = 2 * HTTP2Channel.concurrentStreams) {
        self.total = total
        self.perAddress = perAddress
    }

    var held: Int { counts.withLock { $0.all } }

    /// A place for the stream until it is closed; false where there is none.
    func admit(_ stream: any Channel) -> Bool {
        let address = stream.connection.remoteAddress?.network ?? ""
        let isAdmitted = counts.withLock { counts in
            guard counts.all < total, counts.ofAddress[address, default: 0] < perAddress else { return false }
            counts.all += 1
            counts.ofAddress[address, default: 0] += 1
            return true
        }
        if isAdmitted { stream.closeFuture.whenComplete { [weak self] _ in self?.release(address) } }
        return isAdmitted
    }

    private func release(_ address: String) {
        counts.withLock { counts in
            counts.all -= 1
            counts.ofAddress[address, default: 0] -= 1
            if counts.ofAddress[address] == 0 { counts.ofAddress[address] = nil }
        }
    }
}
