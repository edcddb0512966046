import Model

/// When a service's turn comes: at a time of its own, so that all of them are spread over the hours in which few look. Pure.
enum BackupSlots {
    /// Of each day, from midnight UTC.
    static let window = Duration.seconds(6 * 3600)

    /// The last turn of the service that is not after `now`.
    static func last(of service: String, every: Duration, before now: Timestamp) -> Timestamp {
        let (period, day) = (max(1, every.wholeMilliseconds), Duration.days(1).wholeMilliseconds)
        let seed = hash(service)
        var offset = Int64(seed % UInt64(min(period, window.wholeMilliseconds)))
        if period >= 2 * day { offset += Int64((seed >> 32) % UInt64(period / day)) * day }
        let since = now.milliseconds - offset
        let periods = since >= 0 ? since / period : (since - period + 1) / period
        return Timestamp(milliseconds: periods * period + offset)
    }

    /// FNV-1a: the same in every process.
    private static func hash(_ text: String) -> UInt64 {
        text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}
