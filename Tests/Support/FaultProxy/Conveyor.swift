import NIOCore

/// One direction of one connection: takes what one side sends, lets the faults strike at their bytes, and hands on the rest.
/// Lives on the proxy's event loop.
final class Conveyor {
    private let direction: Direction
    private let source: any Channel
    private let target: any Channel
    /// Which lets go of its conveyors when it closes.
    private let connection: Connection
    private var faults: [Fault]
    private var waiting = ByteBuffer()
    private var hasEnded = false
    private var passed = 0
    private var ruler = RecordRuler()
    private var isHeld = false
    /// Bytes still to go one by one.
    private var single = 0
    /// Pieces still to be late, and by how much.
    private var late = (pieces: 0, milliseconds: 0)
    private var isLate = false
    /// What comes is thrown away.
    private(set) var isSwallowing = false

    private var hasBytes: Bool { waiting.readableBytes > 0 }

    init(_ direction: Direction, _ source: any Channel, _ target: any Channel, _ faults: [Fault], _ owner: Connection) {
        (self.direction, self.source, self.target, connection) = (direction, source, target, owner)
        self.faults = faults.filter { $0.direction == direction }.sorted { $0.byte < $1.byte }
    }

    func received(_ bytes: ByteBuffer) {
        if !isSwallowing { waiting.writeImmutableBuffer(bytes) }
        move()
    }

    /// The source says no more.
    func ended() {
        hasEnded = true
        move()
    }

    func swallow() {
        isSwallowing = true
        waiting.clear()
        pull()
    }

    func move() {
        while !isHeld, !isSwallowing, connection.isOpen, target.isWritable {
            if let fault = faults.first, fault.byte <= passed, fault.kind.needsNoByte || hasBytes {
                faults.removeFirst()
                connection.struck(fault, passed)
                strike(fault.kind)
            } else if hasBytes {
                step()
            } else {
                return idle()
            }
        }
        if isSwallowing { pull() }
    }

    private func idle() {
        if hasEnded { target.endAfterWrites() } else { pull() }
    }

    private func pull() { if connection.isOpen { source.read() } }

    /// Hands on as much as nothing speaks against.
    private func step() {
        if late.pieces > 0, !isLate {
            late.pieces -= 1
            isLate = true
            return hold(late.milliseconds)
        }
        isLate = false
        var count = waiting.readableBytes
        if let fault = faults.first { count = min(count, max(fault.byte - passed, 1)) }
        if single > 0 {
            count = 1
            single -= 1
        }
        pass(count)
        // A pause for each byte, so that the receiver's kernel does not put them together again.
        if single > 0 { hold(1) }
    }

    private func pass(_ count: Int, flipping: Bool = false) {
        guard var piece = waiting.readSlice(length: count) else { return }
        if !hasBytes { waiting.clear() }
        if flipping, let byte = piece.getInteger(at: piece.readerIndex, as: UInt8.self) {
            piece.setInteger(byte ^ 0x10, at: piece.readerIndex)
        }
        piece.withUnsafeReadableBytes { ruler.pass($0) }
        passed += count
        target.writeAndFlush(piece, promise: nil)
    }

    private func hold(_ milliseconds: Int) {
        isHeld = true
        source.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(Int64(milliseconds))) { [weak self] in
            self?.isHeld = false
            self?.move()
        }
    }
}

extension Conveyor {
    private func strike(_ kind: Fault.Kind) {
        switch kind {
        case .delay(let milliseconds, let pieces): late = (pieces, milliseconds)
        case .stall(let milliseconds): hold(milliseconds)
        case .hole(let milliseconds): connection.fallSilent(milliseconds)
        case .halfClose:
            target.endAfterWrites()
            swallow()
        case .truncate(let insideRecord): truncate(insideRecord)
        case .split(let bytes): single = bytes
        case .reset: connection.reset()
        case .flip: pass(1, flipping: true)
        case .expire: break
        }
    }

    private func truncate(_ insideRecord: Bool) {
        if insideRecord {
            // Right behind a record nothing would be cut in two: its first byte goes along.
            if !ruler.isInside { pass(1) }
            return connection.end()
        }
        guard ruler.isInside else { return connection.end() }
        let rest = waiting.withUnsafeReadableBytes { ruler.rest(in: $0) }
        pass(rest)
        guard ruler.isInside else { return connection.end() }
        // Its end has not come yet.
        faults.insert(Fault(.truncate(insideRecord: false), direction, at: passed), at: 0)
    }
}

extension Fault.Kind {
    /// It strikes once the bytes before it have passed, whether or not more come.
    fileprivate var needsNoByte: Bool {
        switch self {
        case .stall, .hole, .halfClose, .reset: true
        default: false
        }
    }
}
