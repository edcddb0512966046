import Model

// What one transaction may take of what nodes send, and when it can have been.

extension Intake {
    /// A transaction that has written so many rows takes nothing more, and no part of a report writes more.
    static let rowLimit = 12_000
    /// Samples, events or gaps in one part.
    private static let partLimit = 4000

    var values: Int { samples.reduce(0) { $0 + $1.values.count } }

    /// The most rows that storing it can write.
    var rows: Int {
        let counted = usage.reduce(0) {
            $0 + $1.counters.count * (1 + Store.windowLimit(counters: $1.counters.count))
        }
        return series.count + samples.count + counted + events.count + gaps.count
    }

    /// The same in pieces, each small enough for one transaction. They must be stored in order.
    var parts: [Intake] {
        guard rows > Self.rowLimit || usage.contains(where: { $0.counters.count > Store.UsageLimits.counters }) else {
            return [self]
        }
        var parts: [Intake] = []
        func part(_ fill: (inout Intake) -> Void) {
            var part = Intake(node: node, receivedAt: receivedAt, journal: journal)
            part.ahead = ahead
            fill(&part)
            parts.append(part)
        }
        for piece in series.pieces(Self.partLimit) { part { $0.series = piece } }
        for piece in samples.pieces(Self.partLimit) { part { $0.samples = piece } }
        for report in usage.flatMap(\.pieces) { part { $0.usage = [report] } }
        for piece in events.pieces(Self.partLimit) { part { $0.events = piece } }
        for piece in gaps.pieces(Self.partLimit) { part { $0.gaps = piece } }
        return parts
    }

    /// The same with nothing in it that is dated further ahead than `tolerance`.
    func timely(_ tolerance: Duration) -> Intake {
        guard let now = receivedAt else { return self }
        var timely = self
        var newest = now
        func bring(_ time: inout Timestamp) {
            newest = max(newest, time)
            if time > now + tolerance { time = now }
        }
        for index in samples.indices { bring(&timely.samples[index].time) }
        for index in usage.indices { bring(&timely.usage[index].time) }
        for index in events.indices { bring(&timely.events[index].time) }
        for index in gaps.indices {
            bring(&timely.gaps[index].from)
            bring(&timely.gaps[index].to)
        }
        if newest > now + tolerance { timely.ahead = newest - now }
        return timely
    }
}

extension UsageReport {
    /// Reports of the same number with a part of the counters each.
    fileprivate var pieces: [UsageReport] {
        guard counters.count > Store.UsageLimits.counters else { return [self] }
        var pieces = counters.pieces(Store.UsageLimits.counters).map { counters in
            var piece = UsageReport(seq: seq, time: time, counters: counters)
            piece.isPartial = true
            return piece
        }
        pieces[pieces.count - 1].isPartial = false
        return pieces
    }
}

extension Array {
    /// The elements in order, at most `size` in each piece.
    func pieces(_ size: Int) -> [[Element]] {
        stride(from: 0, to: count, by: size).map { Array(self[$0..<Swift.min($0 + size, count)]) }
    }
}
