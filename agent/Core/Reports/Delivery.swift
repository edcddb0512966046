/// What was sent of one kind of report in this session, in the order on the wire, until the controller has stored it.
///
/// Live reports overtake older ones, so a position alone does not say what is stored. A report is forgotten only when
/// its number is at or below the acknowledged one *and* it was sent no later than that one was.
package struct Delivery: Sendable {
    private var sent: [Int64] = []

    package init() {}

    package var inFlight: Int { sent.count }

    package mutating func record(_ seq: Int64) { sent.append(seq) }

    /// The reports that an acknowledged position covers; they are no longer in flight.
    package mutating func acknowledge(_ position: Int64) -> [Int64] {
        guard let index = sent.lastIndex(of: position) else { return [] }
        let covered = sent[...index].filter { $0 <= position }
        sent = sent[...index].filter { $0 > position } + sent[(index + 1)...]
        return covered
    }
}
