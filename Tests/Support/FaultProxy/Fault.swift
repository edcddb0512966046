/// Which way bytes go.
package enum Direction: String, Sendable, Hashable, CaseIterable {
    /// From the agent to the controller.
    case up
    /// From the controller to the agent.
    case down
}

/// Something that goes wrong on one connection, at one byte of one direction.
package struct Fault: Sendable, Hashable, CustomStringConvertible {
    package enum Kind: Sendable, Hashable {
        /// Each of the next `pieces` waits for `milliseconds` before it goes on.
        case delay(milliseconds: Int, pieces: Int)
        /// The direction stands still for a while, and the sender feels it; the other direction goes on.
        case stall(milliseconds: Int)
        /// For a while all that comes is swallowed, on this connection and on every new one; then they are reset.
        case hole(milliseconds: Int)
        /// The receiver sees the end of the stream; the other direction goes on.
        case halfClose
        /// Both sides see the end of the stream: in the middle of a TLS record, or between two.
        case truncate(insideRecord: Bool)
        /// The next bytes go on one by one.
        case split(bytes: Int)
        /// Both sides see a reset.
        case reset
        /// One bit of the byte turns over.
        case flip
        /// The connection is reset so long after its beginning, whatever has passed.
        case expire(milliseconds: Int)
    }

    package var kind: Kind
    package var direction: Direction
    /// Bytes of the direction that pass before it.
    package var byte: Int

    package init(_ kind: Kind, _ direction: Direction = .up, at byte: Int = 0) {
        (self.kind, self.direction, self.byte) = (kind, direction, byte)
    }

    package var description: String { "\(kind) \(direction) at byte \(byte)" }
}
