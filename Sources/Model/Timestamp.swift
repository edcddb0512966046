import Glibc

/// A moment in UTC with millisecond resolution. Arithmetic saturates: a time from the network cannot overflow.
package struct Timestamp: Sendable, Hashable, Comparable {
    /// Milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
    package var milliseconds: Int64

    package init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    /// The wall clock of this machine, which may step; measure intervals with `ContinuousClock`.
    package static func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    package static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.milliseconds < right.milliseconds
    }

    package static func + (time: Timestamp, interval: Duration) -> Timestamp {
        Timestamp(milliseconds: saturating(time.milliseconds.addingReportingOverflow(interval.wholeMilliseconds)))
    }

    package static func - (time: Timestamp, interval: Duration) -> Timestamp {
        Timestamp(milliseconds: saturating(time.milliseconds.subtractingReportingOverflow(interval.wholeMilliseconds)))
    }

    /// The time from `earlier` to `later`, negative when they are the other way round.
    package static func - (later: Timestamp, earlier: Timestamp) -> Duration {
        .milliseconds(saturating(later.milliseconds.subtractingReportingOverflow(earlier.milliseconds)))
    }

    /// On overflow the wrapped sum has the sign opposite to the true one.
    private static func saturating(_ result: (partialValue: Int64, overflow: Bool)) -> Int64 {
        guard result.overflow else { return result.partialValue }
        return result.partialValue < 0 ? .max : .min
    }
}

extension Duration {
    /// Whole milliseconds, rounded towards zero; saturates at the bounds of `Int64`.
    package var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        if overflow { return seconds < 0 ? .min : .max }
        let (sum, spilled) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000_000_000)
        if spilled { return seconds < 0 ? .min : .max }
        return sum
    }
}
