/// Which spooled reports of one kind go to the controller, and when: live ones first or strictly in order, and never more
/// in flight than the limit.
package struct ReplayCursor: Sendable {
    /// Reports in flight beyond which even live ones stay on disk.
    package static let limit = 512
    private static let batch = 64
    /// Where nothing is sent live, no session ever goes further than this beyond the first report that is not stored.
    package static let reach = Int64(limit / 2 + batch)

    /// Whether live reports may overtake the backlog.
    private let liveFirst: Bool
    /// The backlog not sent yet: next...<end.
    private var next: Int64 = 0
    private var end: Int64 = 0
    /// What is sent in this session and not stored yet; nil without a session.
    private var sent: Set<Int64>?

    package init(liveFirst: Bool) { self.liveFirst = liveFirst }

    package var isCaughtUp: Bool { next >= end }

    /// A session began; everything on disk is backlog.
    package mutating func open(first: Int64?, following: Int64) {
        next = first ?? following
        end = following
        sent = []
    }

    package mutating func close() { sent = nil }

    /// A report was put on disk. Returns whether it is to be sent now.
    package mutating func appended(_ seq: Int64) -> Bool {
        // What a session found on disk at its start is backlog already.
        guard let flying = sent?.count, seq >= end else { return false }
        let fits = flying < Self.limit && (liveFirst || isCaughtUp)
        if isCaughtUp { next = fits ? seq + 1 : seq }
        if !fits || isCaughtUp { end = seq + 1 }
        if fits { sent?.insert(seq) }
        return fits
    }

    /// Reports up to this number are on disk, none of them to be sent live.
    package mutating func stored(through seq: Int64) { end = max(end, seq + 1) }

    /// The piece of the backlog to send next, when there is one and the controller keeps up.
    package func wanted() -> (range: Range<Int64>, limit: Int)? {
        guard let flying = sent?.count, flying < Self.limit / 2, next < end else { return nil }
        return (next..<end, Self.batch)
    }

    /// What was found and sent of the wanted piece.
    /// - Parameter end: of the piece when all that it holds was found; what came behind it meanwhile is still to be sent.
    package mutating func replayed(_ seqs: [Int64], wholeTo end: Int64?) {
        sent?.formUnion(seqs)
        if let end { next = end } else if let last = seqs.last { next = last + 1 }
    }

    /// Everything up to the position is stored.
    package mutating func acknowledge(_ position: Int64) {
        sent = sent?.filter { $0 > position }
        if position < end { next = max(next, position + 1) }
    }
}
