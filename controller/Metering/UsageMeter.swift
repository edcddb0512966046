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
    /// Of the window, milliseconds: one of `UsageMeter.lengths`.
    package var length: Int64
    package var amount: Int64

    package init(window: Int64, length: Int64 = UsageMeter.lengths[0], amount: Int64) {
        self.window = window
        self.length = length
        self.amount = amount
    }
}

/// Turns readings into amounts by window. The sum of the shares of one epoch is exactly the counter's highest value,
/// however the readings are spaced, repeated or ordered.
package enum UsageMeter {
    /// How long windows are: an hour; a day and thirty days where nothing was heard for so long that hours would only
    /// pretend to know.
    package static let lengths: [Int64] = [3_600_000, 86_400_000, 30 * 86_400_000]
    /// The most windows that one difference is spread over, where there is room for them.
    package static let maximumWindows = 62

    /// What counted it, where and of what: the same gives the same id on every run and every machine.
    package static func windowID(
        node: String, subject: String, service: String, meter: String, share: UsageShare
    ) -> String {
        // Lengths keep "a"+"bc" apart from "ab"+"c".
        let parts = [node, subject, service, meter].map { "\($0.utf8.count).\($0)" }
        return "\(parts.joined(separator: "/"))/\(share.length)/\(share.window)"
    }

    /// What `reading` adds to the highest reading of the same epoch that is known (`previous`, nil for a new epoch).
    /// It is spread evenly over the time between them, in hours where `limit` windows are enough, else in longer ones; a
    /// new epoch's whole value falls into the hour of its first reading. A reading that is not higher adds nothing.
    package static func shares(
        previous: CounterReading?, reading: CounterReading, limit: Int = maximumWindows
    ) -> [UsageShare] {
        let known = previous.map { $0.epoch == reading.epoch ? max($0.value, 0) : 0 } ?? 0
        guard reading.value > known else { return [] }
        let added = reading.value - known
        guard let previous, previous.epoch == reading.epoch, previous.time < reading.time else {
            return [whole(added, reading.time, lengths[0])]
        }
        let (span, isFar) = reading.time.subtractingReportingOverflow(previous.time)
        guard !isFar else { return [whole(added, reading.time, lengths[lengths.count - 1])] }
        for length in lengths {
            let (first, last) = (
                Rollup.start(of: previous.time, length: length), Rollup.start(of: reading.time, length: length)
            )
            let (distance, isOver) = last.subtractingReportingOverflow(first)
            guard !isOver, distance / length < Int64(max(limit, 1)) else { continue }
            return spread(added, from: previous.time, span: span, first: first, last: last, length: length)
        }
        return [whole(added, reading.time, lengths[lengths.count - 1])]
    }

    private static func whole(_ amount: Int64, _ time: Int64, _ length: Int64) -> UsageShare {
        UsageShare(window: Rollup.start(of: time, length: length), length: length, amount: amount)
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
            if due > given { shares.append(UsageShare(window: window, length: length, amount: due - given)) }
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
