/// What a monotonic counter showed at a time. A counter starts from 0 with each new epoch.
package struct CounterReading: Sendable, Hashable {
    package var epoch: String
    package var value: Int64
    /// Milliseconds.
    package var time: Int64

    package init(epoch: String, value: Int64, time: Int64) {
        self.epoch = epoch
        self.value = value
        self.time = time
    }
}

/// A part of what was used, within one window.
package struct UsageShare: Sendable, Hashable {
    /// Start of the window, milliseconds.
    package var window: Int64
    package var amount: Int64

    package init(window: Int64, amount: Int64) {
        self.window = window
        self.amount = amount
    }
}

/// Turns readings into amounts by window. The sum of the shares of one epoch is exactly the counter's highest value,
/// however the readings are spaced, repeated or ordered.
package enum UsageMeter {
    /// The most windows that one difference is spread over; what is older goes to the first of them.
    package static let maximumWindows: Int64 = 24 * 62

    /// The same subject, meter and window give the same id on every run and every machine.
    package static func windowID(subject: String, meter: String, window: Int64) -> String {
        // Lengths keep "a"+"bc" apart from "ab"+"c".
        "\(subject.utf8.count).\(subject)/\(meter.utf8.count).\(meter)/\(window)"
    }

    /// What `reading` adds to the highest reading of the same epoch that is known (`previous`, nil for a new epoch).
    /// It is spread evenly over the time between them; a new epoch's whole value falls into the window of its first
    /// reading. Windows have `length` milliseconds. A reading that is not higher adds nothing.
    package static func shares(
        previous: CounterReading?, reading: CounterReading, length: Int64
    ) -> [UsageShare] {
        let known = previous.map { $0.epoch == reading.epoch ? max($0.value, 0) : 0 } ?? 0
        guard length > 0, reading.value > known else { return [] }
        let added = reading.value - known
        let last = Rollup.start(of: reading.time, length: length)
        guard let previous, previous.epoch == reading.epoch, previous.time < reading.time else {
            return [UsageShare(window: last, amount: added)]
        }
        let (span, isFar) = reading.time.subtractingReportingOverflow(previous.time)
        let oldest = last.subtractingReportingOverflow((maximumWindows - 1) * length)
        guard !isFar, !oldest.overflow else { return [UsageShare(window: last, amount: added)] }
        let first = max(Rollup.start(of: previous.time, length: length), oldest.partialValue)
        return spread(added, from: previous.time, span: span, first: first, last: last, length: length)
    }

    private static func spread(
        _ added: Int64, from start: Int64, span: Int64, first: Int64, last: Int64, length: Int64
    ) -> [UsageShare] {
        var shares: [UsageShare] = []
        var given: Int64 = 0
        for window in stride(from: first, through: last, by: Int64.Stride(length)) {
            // Not "window - start + length": that could overflow in the last window.
            let elapsed = window - start > span - length ? span : window - start + length
            let due = window == last ? added : portion(of: added, elapsed, span)
            if due > given { shares.append(UsageShare(window: window, amount: due - given)) }
            given = max(given, due)
        }
        return shares
    }

    /// `added * elapsed / span` without overflow; 0 <= elapsed <= span.
    private static func portion(of added: Int64, _ elapsed: Int64, _ span: Int64) -> Int64 {
        guard elapsed > 0, span > 0 else { return 0 }
        guard elapsed < span else { return added }
        let product = added.magnitude.multipliedFullWidth(by: elapsed.magnitude)
        return Int64(clamping: span.magnitude.dividingFullWidth(product).quotient)
    }
}
