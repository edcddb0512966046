import AgentCommands
import WireProtocol

/// The input of one command on its way to its node. What the command has not read is held, so that it can be sent again
/// on another session, and nothing beyond a window is taken.
struct CommandInput: Sendable {
    /// The largest piece in one line.
    private static let pieceLimit = 64 << 10

    /// Bytes that the command has read.
    private var consumed: Int64 = 0
    /// The bytes behind those.
    private var held: [UInt8] = []
    private var isEnded = false
    /// Size of the terminal of whoever asked: rows and columns. Only the newest counts.
    private var screen: (rows: Int64, columns: Int64)?

    private var taken: Int64 { consumed + Int64(held.count) }

    /// Takes bytes, and gives what is new of them.
    mutating func take(
        _ data: [UInt8], at offset: Int64, end: Bool
    ) -> (answer: CommandInputAnswer, fresh: ArraySlice<UInt8>) {
        guard offset <= taken else { return (.gap(from: taken), []) }
        let fresh = data.dropFirst(Int(clamping: taken - offset))
        if isEnded { return (fresh.isEmpty ? .taken(upTo: taken) : .ended, []) }
        guard held.count + fresh.count <= Consumed.window else { return (.full, []) }
        held += fresh
        isEnded = end
        return (.taken(upTo: taken), fresh)
    }

    /// The command has read so far. A number beyond what it was sent is none.
    mutating func consumed(_ bytes: Int64) {
        guard bytes > consumed, bytes <= taken else { return }
        held.removeFirst(Int(bytes - consumed))
        consumed = bytes
    }

    /// The terminal has another size; the line that says so.
    mutating func resize(rows: Int64, columns: Int64, of command: String) -> ControllerMessage {
        screen = (rows, columns)
        return .input(Input(id: command, data: [], end: false, offset: taken, rows: rows, columns: columns))
    }

    /// The lines that carry bytes which were just taken.
    func lines(_ fresh: ArraySlice<UInt8>, to command: String) -> [ControllerMessage] {
        lines(fresh, at: taken - Int64(fresh.count), to: command)
    }

    /// The lines for a session that is new: the size of the terminal, and everything that is held.
    func again(to command: String) -> [ControllerMessage] {
        let size = screen.map {
            Input(id: command, data: [], end: false, offset: consumed, rows: $0.rows, columns: $0.columns)
        }
        return [size].compactMap { $0.map { .input($0) } }
            + (held.isEmpty && !isEnded ? [] : lines(held[...], at: consumed, to: command))
    }

    private func lines(_ bytes: ArraySlice<UInt8>, at offset: Int64, to command: String) -> [ControllerMessage] {
        var lines: [ControllerMessage] = []
        var (rest, place) = (bytes, offset)
        repeat {
            let piece = Array(rest.prefix(Self.pieceLimit))
            rest = rest.dropFirst(piece.count)
            lines.append(.input(Input(id: command, data: piece, end: isEnded && rest.isEmpty, offset: place)))
            place += Int64(piece.count)
        } while !rest.isEmpty
        return lines
    }
}
