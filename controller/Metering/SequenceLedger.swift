/// Which sequence numbers of a stream are stored. Live data comes before what a node kept while it was cut off, so
/// numbers arrive out of order; only the gapless part from the start may be acknowledged.
package struct SequenceLedger: Sendable, Hashable {
    /// Everything up to here is stored, or was declared lost by its source. Nil until the first number has come.
    package private(set) var position: Int64?
    /// Stored numbers beyond the position: apart from each other, ascending.
    package private(set) var beyond: [ClosedRange<Int64>]
    /// A source that leaves more holes than this is told nothing about the highest of them, and sends them again.
    package static let maximumRanges = 4096

    package init(position: Int64? = nil, beyond: [ClosedRange<Int64>] = []) {
        self.position = position
        self.beyond = beyond
    }

    /// True when the number is new. The first number ever becomes the start.
    package mutating func insert(_ number: Int64) -> Bool {
        guard number < .max, number > .min else { return false }
        guard let position else {
            self.position = number
            return true
        }
        guard number > position, !contains(number) else { return false }
        add(number...number)
        return true
    }

    /// Numbers that will never come.
    package mutating func skip(_ numbers: ClosedRange<Int64>) {
        guard numbers.upperBound < .max, numbers.lowerBound > .min else { return }
        guard let position else { return self.position = numbers.upperBound }
        guard numbers.upperBound > position else { return }
        add(max(numbers.lowerBound, position + 1)...numbers.upperBound)
    }

    /// Takes over, on connecting, the first number that the source can still send: what lies below is stored, or lost for
    /// ever. Returns what is lost.
    package mutating func settle(from first: Int64) -> [ClosedRange<Int64>] {
        guard let position, first > .min, first - 1 > position else { return [] }
        defer { skip(position + 1...first - 1) }
        return missing(in: position + 1...first - 1)
    }

    /// The numbers of a range that are neither stored nor declared lost.
    package func missing(in range: ClosedRange<Int64>) -> [ClosedRange<Int64>] {
        var missing: [ClosedRange<Int64>] = []
        var next = position.map { max(range.lowerBound, $0 &+ 1) } ?? range.lowerBound
        for stored in beyond where stored.upperBound >= next && stored.lowerBound <= range.upperBound {
            if stored.lowerBound > next { missing.append(next...stored.lowerBound - 1) }
            guard stored.upperBound < range.upperBound else { return missing }
            next = stored.upperBound + 1
        }
        if next <= range.upperBound { missing.append(next...range.upperBound) }
        return missing
    }

    private func contains(_ number: Int64) -> Bool {
        let index = beyond.partitioningIndex { $0.upperBound >= number }
        return index < beyond.count && beyond[index].contains(number)
    }

    private mutating func add(_ range: ClosedRange<Int64>) {
        // Every range that touches the new one becomes part of it.
        let first = beyond.partitioningIndex { $0.upperBound >= range.lowerBound - 1 }
        var end = first
        var merged = range
        while end < beyond.count, beyond[end].lowerBound <= merged.upperBound + 1 {
            merged = min(merged.lowerBound, beyond[end].lowerBound)...max(merged.upperBound, beyond[end].upperBound)
            end += 1
        }
        beyond.replaceSubrange(first..<end, with: [merged])
        if let position, let next = beyond.first, next.lowerBound <= position + 1 {
            self.position = next.upperBound
            beyond.removeFirst()
        }
        if beyond.count > Self.maximumRanges { beyond.removeLast() }
    }
}

extension [ClosedRange<Int64>] {
    /// The first index for which `isBehind` holds, by halving; the list must be ordered so.
    fileprivate func partitioningIndex(_ isBehind: (ClosedRange<Int64>) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if isBehind(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
