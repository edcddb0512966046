/// The numbers that may be given out: ranges, less what nobody gets. Pure.
package struct NumberSpace: Sendable, Hashable {
    /// In order, none touching the next.
    package let ranges: [ClosedRange<UInt128>]

    /// - Parameters:
    ///   - ranges: in any order; they may overlap.
    ///   - excluded: what is taken out of them.
    package init(_ ranges: [ClosedRange<UInt128>], without excluded: [ClosedRange<UInt128>] = []) {
        self.ranges = Self.merged(excluded).reduce(Self.merged(ranges)) { left, hole in
            left.flatMap { Self.cut(hole, out: $0) }
        }
    }

    /// How many there are.
    package var count: UInt128 {
        ranges.reduce(0) { sum, range in
            let (size, isAll) = (range.upperBound - range.lowerBound).addingReportingOverflow(1)
            let (total, isMore) = sum.addingReportingOverflow(size)
            return isAll || isMore ? .max : total
        }
    }

    package func contains(_ number: UInt128) -> Bool { ranges.contains { $0.contains(number) } }

    /// Each number once, beginning with the one behind `number` and going round: what was freed last comes last.
    package func numbers(after number: UInt128?) -> some Sequence<UInt128> {
        guard let number, let start = next(after: number) ?? first else { return Walk(space: self, first: first) }
        return Walk(space: self, first: start)
    }

    private var first: UInt128? { ranges.first?.lowerBound }

    private func next(after number: UInt128) -> UInt128? {
        guard let range = ranges.first(where: { $0.upperBound > number }) else { return nil }
        return max(range.lowerBound, number + 1)
    }

    private struct Walk: Sequence, IteratorProtocol {
        let space: NumberSpace
        let first: UInt128?
        var last: UInt128?

        init(space: NumberSpace, first: UInt128?) { (self.space, self.first) = (space, first) }

        mutating func next() -> UInt128? {
            guard let last else {
                self.last = first
                return first
            }
            guard let number = space.next(after: last) ?? space.first, number != first else { return nil }
            self.last = number
            return number
        }
    }

    private static func merged(_ ranges: [ClosedRange<UInt128>]) -> [ClosedRange<UInt128>] {
        var merged: [ClosedRange<UInt128>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = merged.last, last.upperBound == .max || range.lowerBound <= last.upperBound + 1 {
                merged[merged.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                merged.append(range)
            }
        }
        return merged
    }

    private static func cut(
        _ hole: ClosedRange<UInt128>, out range: ClosedRange<UInt128>
    ) -> [ClosedRange<UInt128>] {
        guard range.overlaps(hole) else { return [range] }
        let before = range.lowerBound < hole.lowerBound ? [range.lowerBound...hole.lowerBound - 1] : []
        return before + (hole.upperBound < range.upperBound ? [hole.upperBound + 1...range.upperBound] : [])
    }
}
