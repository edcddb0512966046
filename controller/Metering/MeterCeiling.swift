/// The most that a meter can grow by on any machine: what is beyond it was not used, whatever a node says. Generous, so
/// that no real figure is held up.
package struct MeterCeiling: Sendable, Hashable {
    /// Units a second.
    package let perSecond: Int64
    /// Clocks of nodes and controller differ, and samples are taken a little early or late.
    package static let slack: Int64 = 300_000

    /// - Parameters:
    ///   - cpuMillis: thousandths of a processor that the node says it has; 0 when it does not say.
    ///   - diskBytes: what its pools hold; 0 when it does not say.
    package init(meter: String, cpuMillis: Int64 = 0, diskBytes: Int64 = 0) {
        switch meter {
        // One processor takes 1000 ms a second, so that the figures are the same.
        case "cpu_ms": perSecond = cpuMillis > 0 ? min(cpuMillis, Self.cpuMillis) : Self.cpuMillis
        case "disk_mib_seconds":
            let claimed = diskBytes >> 20
            perSecond = claimed > 0 ? min(claimed, Self.diskMiB) : Self.diskMiB
        default: perSecond = Self.bytesPerSecond
        }
    }

    /// 4096 processors.
    private static let cpuMillis: Int64 = 4_096_000
    /// 8 PiB.
    private static let diskMiB: Int64 = 1 << 33
    /// 400 Gbit/s.
    private static let bytesPerSecond: Int64 = 50_000_000_000

    /// The most that can come together in so many milliseconds; negative ones are none.
    package func amount(in milliseconds: Int64) -> Int64 {
        let (time, isOver) = max(milliseconds, 0).addingReportingOverflow(Self.slack)
        guard !isOver else { return .max }
        let (high, low) = perSecond.multipliedFullWidth(by: time)
        guard high < 499 else { return .max }
        return Int64(1000).dividingFullWidth((high, low)).quotient
    }
}
