import DockerDriver
import Testing
import WireProtocol

@Suite struct YAMLTests {
    static let taken: [(String, JSONValue)] = [
        ("", nil), ("# nothing\n", nil), ("a: 1", ["a": 1]), ("---\na: 1\n", ["a": 1]), ("\"a b\": c", ["a b": "c"]),
        ("a:\n  b:\n    c: d\n  e: f\n", ["a": ["b": ["c": "d"], "e": "f"]]),
        ("a:\n- 1\n- 2\nb:\n  - 3\n", ["a": [1, 2], "b": [3]]),
        ("- - a\n  - b\n- c: d\n  e: f\n-\n  g: h\n", [["a", "b"], ["c": "d", "e": "f"], ["g": "h"]]),
        ("a: {b: 1, \"c\":2, d: [x, 'y z', ], e}\n", ["a": ["b": 1, "c": 2, "d": ["x", "y z"], "e": nil]]),
        ("a: [\n  1, # one\n  2\n]\nb: 3\n", ["a": [1, 2], "b": 3]),
        (
            "a: true\nb: False\nc: ~\nd: null\ne: yes\nf: no\n",
            ["a": true, "b": false, "c": nil, "d": nil, "e": "yes", "f": "no"]
        ),
        (
            "a: 012\nb: 0x1F\nc: 1.5\nd: 22:22\ne: 1e3\nf: -7\n",
            ["a": 10, "b": 31, "c": 1.5, "d": "22:22", "e": 1000.0, "f": -7]
        ),
        ("a: 99999999999999999999\n", ["a": 1e20]),
        ("a: .inf\nb: 1.2.3\nc: 2026-01-01\n", ["a": ".inf", "b": "1.2.3", "c": "2026-01-01"]),
        ("a: x # note\nb: x#y\nc: http://h:1/p\n", ["a": "x", "b": "x#y", "c": "http://h:1/p"]),
        ("a: one\n  two\n\n  three\nb: 1\n", ["a": "one two\nthree", "b": 1]),
        ("a: 'it''s\n  folded'\nb: \"x\\ty\\u00e9\\\n  z\"\n", ["a": "it's folded", "b": "x\tyéz"]),
        ("a: \"\\ud83d\\ude00\\x41\"\n", ["a": "😀A"]),
        ("a: |\n  one\n    two\n\n  three\nb: 1\n", ["a": "one\n  two\n\nthree\n", "b": 1]),
        (
            "a: |-\n  x\n\nb: |+\n  y\n\nc: >\n  p\n  q\n\n  r\n    s\n  t\n",
            ["a": "x", "b": "y\n\n", "c": "p q\nr\n  s\nt\n"]
        ),
        ("- |\n x\n- >-\n y\n z\n", ["x\n", "y z"]), ("a: |2\n   x\n", ["a": " x\n"]),
        (
            "x: &a {p: 1, q: 2}\ny:\n  <<: *a\n  q: 3\nz: *a\n",
            ["x": ["p": 1, "q": 2], "y": ["q": 3, "p": 1], "z": ["p": 1, "q": 2]]
        ),
        ("x-l: &l\n  max: 1\ns:\n  <<: [*l, {min: 2}]\n", ["x-l": ["max": 1], "s": ["max": 1, "min": 2]]),
        ("a: &n\n  - 1\nb: *n\n", ["a": [1], "b": [1]]), ("a:\r\n  b: c\r\n", ["a": ["b": "c"]]),
        ("\u{FEFF}a: b", ["a": "b"]), ("a:\n\n  # c\n  b: 1\n # d\ne: 2", ["a": ["b": 1], "e": 2]),
        ("{\"services\": {\"a\": {\"ports\": [\"80:80\"]}}}", ["services": ["a": ["ports": ["80:80"]]]]),
        ("a: ${X:-y}\nb: $$z\n", ["a": "${X:-y}", "b": "$$z"]),
        ("80: x\ntrue: y\n", ["80": "x", "true": "y"]),
    ]

    @Test(arguments: taken)
    func `a document is read, and read again after it was written`(text: String, value: JSONValue) throws {
        #expect(try YAMLReader.read(text) == value)
        #expect(try YAMLReader.read(YAMLWriter.write(value)) == value)
    }

    @Test(arguments: [
        "a: 1\na: 2", "a: b: c", "a: !reset x", "a: !!python/object x", "? a\n: b", "%YAML 1.2\n---\na: 1",
        "a: 1\n---\nb: 2", "a: *none", "a: &x 1\nb: &x 2", "a: [1, 2", "a: {b: 1", "a: \"x", "a: 'x", "a: \"\\q\"",
        "a: \"\\ud800\"", "a: \"\\u00\"", "a: \"\\0\"", "a:\n\tb: 1", "a: @x", "a: `x`", "a:\n  b: 1\n c: 2",
        "- a\nb: c", "a\nb: c", "a: x\u{0}", "a: [a: b]", "a: [b}", "a: \"x\" y", "a: |q\n x", "<<: 1\n", "a: - b",
        "a: b\n  c: d", "*x : 1", "a: [,]", "a: ]", "&a b: c",
    ])
    func `what could mean two things is refused`(text: String) {
        #expect(throws: YAMLError.self) { try YAMLReader.read(text) }
    }

    @Test func `aliases upon aliases and deep nests stay bounded`() {
        var laughs = "a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha, ha]\n"
        for step in 1..<12 {
            laughs +=
                "a\(step): &a\(step) [" + Array(repeating: "*a\(step - 1)", count: 10).joined(separator: ", ") + "]\n"
        }
        #expect(throws: YAMLError.self) { try YAMLReader.read(laughs) }
        for nest in ["[", "{a: ", "- ", "? "] {
            #expect(throws: YAMLError.self) { try YAMLReader.read(String(repeating: nest, count: 100_000)) }
        }
        #expect(throws: YAMLError.self) {
            try YAMLReader.read((0..<1000).map { String(repeating: " ", count: $0) + "a:\n" }.joined())
        }
    }

    /// Cuts and changed bytes of a real file: an answer or a refusal, never a trap, and what is taken survives writing.
    @Test func `damaged documents neither trap nor change when written`() throws {
        let sample = Array(Self.taken.map(\.0).joined(separator: "\n").utf8)
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            let start = Int.random(in: 0..<sample.count, using: &generator)
            var piece = Array(sample[start..<min(sample.count, start + Int.random(in: 1...80, using: &generator))])
            let place = Int.random(in: 0..<piece.count, using: &generator)
            piece[place] = Array("\n :-[]{}\"'|>&*#,!\\ab0".utf8).randomElement() ?? 0
            let text = String(decoding: piece, as: UTF8.self)
            guard let value = try? YAMLReader.read(text) else { continue }
            #expect(try YAMLReader.read(YAMLWriter.write(value)) == value, "\(text)")
        }
    }
}
