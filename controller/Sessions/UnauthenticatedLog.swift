import Logging
import NIOCore
import Synchronization
import Transport

/// Handshakes that failed, in the log: the first of an address at once, then at most a line a minute with how many there
/// were, so that nobody fills the log by knocking.
final class UnauthenticatedLog: Sendable {
    private struct Visit {
        var notedAt: ContinuousClock.Instant
        var since = 0
    }

    static let interval: Duration = .seconds(60)
    /// Further addresses share one line.
    static let maximumAddresses = 256

    private let visits = Mutex<[String: Visit]>([:])
    private let logger: Logger

    init(logger: Logger) { self.logger = logger }

    func note(_ address: SocketAddress?, _ error: any Error, now: ContinuousClock.Instant = .now) {
        let remote = address?.plainAddress ?? "?"
        guard let before = visits.withLock({ Self.due(&$0, remote, now) }) else { return }
        logger.notice(
            "handshake failed",
            metadata: [
                "remote": "\(remote)", "error": "\(error)", "others": "\(before)",
            ])
    }

    /// How many were passed over since the last line; nil when this one is to be passed over too.
    private static func due(
        _ visits: inout [String: Visit], _ remote: String, _ now: ContinuousClock.Instant
    ) -> Int? {
        if visits.count >= maximumAddresses { visits = visits.filter { now - $0.value.notedAt < interval } }
        let key = visits[remote] == nil && visits.count >= maximumAddresses ? "others" : remote
        if let visit = visits[key], now - visit.notedAt < interval {
            visits[key]?.since += 1
            return nil
        }
        defer { visits[key] = Visit(notedAt: now) }
        return visits[key]?.since ?? 0
    }
}
