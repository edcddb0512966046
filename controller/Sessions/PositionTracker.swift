/// Which sequence numbers of one stream of one node are stored: everything up to `contiguous`, and ranges above it.
///
/// Live samples overtake the replay of older ones, so numbers arrive out of order; only the contiguous prefix may be
/// acknowledged, because the agent drops all of it. Bounded: past `maximumRanges` the number is not taken, so the agent
/// sends it again once the hole below is filled.
package struct PositionTracker: Sendable, Hashable {
    package static let maximumRanges = 256

    /// Everything from 1 up to and including this number is stored; 0 says nothing is.
    package private(set) var contiguous: Int64
    /// Stored ranges above `contiguous`: disjoint, not adjacent, ascending.
    private var ranges: [ClosedRange<Int64>] = []

    package init(contiguous: Int64 = 0) {
        self.contiguous = contiguous
    }

    /// True when `sequence` is new and was taken; false when it is stored already or does not fit.
    package mutating func take(_ sequence: Int64) -> Bool {
        if ranges.isEmpty, sequence == contiguous.saturatingNext, sequence > contiguous {
            contiguous = sequence
            return true
        }
        return take(sequence...sequence)
    }

    /// Takes a range (one sample, or a gap that will never be filled). False when nothing in it is new or it does not fit.
    package mutating func take(_ range: ClosedRange<Int64>) -> Bool {
        guard range.upperBound > contiguous else { return false }
        let lower = max(range.lowerBound, contiguous + 1)
        let new = lower...range.upperBound
        if ranges.contains(where: { $0.lowerBound <= new.lowerBound && $0.upperBound >= new.upperBound }) {
            return false
        }
        var merged = new
        var kept: [ClosedRange<Int64>] = []
        kept.reserveCapacity(ranges.count + 1)
        for existing in ranges {
            let touches =
                existing.lowerBound <= merged.upperBound.saturatingNext
                && merged.lowerBound <= existing.upperBound.saturatingNext
            if touches {
                merged = min(existing.lowerBound, merged.lowerBound)...max(existing.upperBound, merged.upperBound)
            } else {
                kept.append(existing)
            }
        }
        if merged.lowerBound == contiguous + 1 {
            contiguous = merged.upperBound
            ranges = kept
            return true
        }
        guard kept.count < Self.maximumRanges else { return false }
        let place = kept.firstIndex { $0.lowerBound > merged.lowerBound } ?? kept.endIndex
        kept.insert(merged, at: place)
        ranges = kept
        return true
    }

    /// How many separate ranges wait above the prefix.
    package var rangesAbove: Int { ranges.count }
}

extension Int64 {
    fileprivate var saturatingNext: Int64 { self == .max ? .max : self + 1 }
}
