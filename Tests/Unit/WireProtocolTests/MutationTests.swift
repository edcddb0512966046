import TestSupport
import Testing
import WireProtocol

/// Whatever the bytes, the codec answers with a message or an error, and what it accepts it can say again.
@Suite struct `Hostile bytes` {
    private static let corpus: [(Direction, [UInt8])] = CanonicalVector.all.map { ($0.direction, $0.line.dropLast()) }

    /// Bytes and pieces that parsers trip over.
    private static let pieces: [[UInt8]] =
        [
            "\"", "\\", "\\u", "\\ud83d", "\\udc00", "{", "}", "[", "]", ",", ":", "-", "-0", "1e400", "1e-400", ".",
            "e", "E+",
            "null", "true", "NaN", "99999999999999999999", "9223372036854775808", "\"type\":", "\"seq\":1", "{}",
            "[[[[[[[[",
        ].map { Array($0.utf8) } + [
            [0], [0xFF], [0xC3], [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xEF, 0xBB, 0xBF],
        ]

    /// Accepted lines have a canonical form that is stable; both directions are tried.
    private func probe(_ line: [UInt8]) throws {
        for direction in [Direction.agent, .controller] {
            let canonical: [UInt8]?
            do throws(WireError) { canonical = try direction.canonical(line) } catch {
                #expect(!error.description.isEmpty && !error.code.isEmpty)
                continue
            }
            guard let canonical else { continue }
            #expect(try direction.canonical(canonical.dropLast()) == canonical)
        }
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `random bytes`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<400 {
            let count = Int.random(in: 0...64, using: &generator)
            try probe((0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next()) })
        }
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `random pieces of JSON`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<400 {
            let count = Int.random(in: 1...24, using: &generator)
            try probe((0..<count).flatMap { _ in Self.pieces.randomElement(using: &generator) ?? [] })
        }
    }

    @Test func `every beginning of every vector is refused`() {
        for (direction, line) in Self.corpus {
            for count in 0..<line.count {
                #expect(throws: WireError.self, "\(count) bytes") { try direction.canonical(Array(line[..<count])) }
            }
        }
    }

    @Test(arguments: 1...16 as ClosedRange<UInt64>)
    func `mutated vectors`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for (_, original) in Self.corpus {
            for _ in 0..<12 {
                var line = original
                for _ in 0..<Int.random(in: 1...3, using: &generator) { Self.mutate(&line, using: &generator) }
                try probe(line)
            }
        }
    }

    private static func mutate(_ line: inout [UInt8], using generator: inout SeededGenerator) {
        let place = Int.random(in: 0...line.count, using: &generator)
        let end = min(line.count, place + Int.random(in: 0...8, using: &generator))
        switch Int.random(in: 0..<5, using: &generator) {
        case 0: line.removeSubrange(place..<end)
        case 1: line.insert(contentsOf: pieces.randomElement(using: &generator) ?? [], at: place)
        case 2: line.insert(contentsOf: Array(line[place..<end]), at: place)
        case 3: line.replaceSubrange(place..<end, with: pieces.randomElement(using: &generator) ?? [])
        default: if place < line.count { line[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator) }
        }
    }

    @Test func `a large object of distinct keys is read in one pass`() throws {
        let members = (0..<60_000).map { "\"k\($0)\":\($0 % 7)" }.joined(separator: ",")
        let object = try #require(try JSONParser.parse("{\(members)}").asObject)
        #expect(object.count == 60_000)
        #expect(object["k59999"] == .integer(Int64(59_999 % 7)))
        let error = #expect(throws: JSONError.self) { try JSONParser.parse("{\(members),\"k0\":1}") }
        #expect(error?.problem == .duplicateKey)
    }

    @Test func `keys that are slow to normalise are compared as bytes`() throws {
        let marks = String(repeating: "\u{301}\u{323}", count: 60_000)
        let keys = (0..<4).map { "\"\(marks)\($0)\":1" }.joined(separator: ",")
        let line = #"{"type":"heartbeat","seq":1,"time":2,\#(keys)}"#
        #expect(try AgentMessage(decoding: Array(line.utf8)) == .heartbeat(Heartbeat(seq: 1, time: 2)))
    }
}
