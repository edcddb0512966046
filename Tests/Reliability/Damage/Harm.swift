import TestSupport

/// What a disk may do to the bytes of a file.
enum Harm: Sendable, CustomStringConvertible {
    case flip(at: Int, bit: Int)
    /// Everything behind is gone.
    case cut(to: Int)
    /// The second half of one page never came to the disk.
    case torn(at: Int, to: Int)

    var description: String {
        switch self {
        case .flip(let place, let bit): "bit \(bit) of byte \(place)"
        case .cut(let length): "cut to \(length)"
        case .torn(let start, let end): "zeros from \(start) to \(end)"
        }
    }

    func callAsFunction(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        switch self {
        case .flip(let place, let bit): bytes[place] ^= 1 << UInt8(bit)
        case .cut(let length): bytes = Array(bytes.prefix(length))
        case .torn(let start, let end): for index in start..<min(end, bytes.count) { bytes[index] = 0 }
        }
        return bytes
    }

    /// Flips all over a file, and some in its header.
    static func flips(_ count: Int, in length: Int, seed: UInt64) -> [Harm] {
        var dice = SeededGenerator(seed: seed)
        let header = (0..<min(100, length)).map { Harm.flip(at: $0, bit: Int.random(in: 0..<8, using: &dice)) }
        return header.shuffled(using: &dice).prefix(count / 4)
            + (0..<count).map { _ in
                .flip(at: Int.random(in: 0..<length, using: &dice), bit: Int.random(in: 0..<8, using: &dice))
            }
    }

    /// Cuts at the beginning, within pages and at their ends; pages of which half is missing.
    static func tears(in length: Int, page: Int = 4096) -> [Harm] {
        let pages = length / page
        let places = Set([0, 1, pages / 2, pages - 1].filter { $0 >= 0 && $0 < pages }).sorted()
        return [.cut(to: 0), .cut(to: 1), .cut(to: 99), .cut(to: length - 1)]
            + places.flatMap { [Harm.cut(to: $0 * page), .cut(to: $0 * page + page / 2)] }
            + places.map { .torn(at: $0 * page + page / 2, to: ($0 + 1) * page) }
    }
}
