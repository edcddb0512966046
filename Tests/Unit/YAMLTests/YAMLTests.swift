import Testing
import WireProtocol

@testable import YAML

@Suite struct YAMLTests {
    static let taken: [(String, JSONValue)] = [
        ("", nil), ("# nothing\n", nil), ("a: 1", ["a": 1]), ("---\na: 1\n", ["a": 1]), ("\"a b\": c", ["a b": "c"]),
        ("--- # x\na: 1\n...\n", ["a": 1]), ("%YAML 1.1\n---\na: 1\n", ["a": 1]),
        ("a:\n  b:\n    c: d\n  e: f\n", ["a": ["b": ["c": "d"], "e": "f"]]),
        ("a:\n- 1\n- 2\nb:\n  - 3\n", ["a": [1, 2], "b": [3]]),
        ("- - a\n  - b\n- c: d\n  e: f\n-\n  g: h\n", [["a", "b"], ["c": "d", "e": "f"], ["g": "h"]]),
        ("a: {b: 1, \"c\":2, d: [x, 'y z', ], e}\n", ["a": ["b": 1, "c": 2, "d": ["x", "y z"], "e": nil]]),
        ("a: [\n  1, # one\n  2\n]\nb: 3\n", ["a": [1, 2], "b": 3]),
        ("a: [\"b\",\n  # \"c\",\n  \"d\"]\n", ["a": ["b", "d"]]),
        ("a: {b: 1,\n  # c: 2,\n  d: 3}\n", ["a": ["b": 1, "d": 3]]),
        ("a: true\nb: False\nc: ~\nd: null\n", ["a": true, "b": false, "c": nil, "d": nil]),
        ("a: 012\nb: 0x1F\nc: 1.5\nf: -7\ng: 1_000\n", ["a": 10, "b": 31, "c": 1.5, "f": -7, "g": 1000]),
        ("a: 1.0\nb: 1.5e+20\nc: 2.0e-7\n", ["a": .number(1), "b": 1.5e20, "c": 2e-7]),
        (
            "a: 1.2.3\nb: \"2026-01-01\"\nc: \"yes\"\nd: \"22:22\"\n",
            ["a": "1.2.3", "b": "2026-01-01", "c": "yes", "d": "22:22"]
        ),
        ("a: x # note\nb: x#y\nc: http://h:1/p\n", ["a": "x", "b": "x#y", "c": "http://h:1/p"]),
        ("a:\tx\n", ["a": "x"]), ("- FOO=bar\t# note: public\n", ["FOO=bar"]),
        ("a: one\n  two\n\n  three\nb: 1\n", ["a": "one two\nthree", "b": 1]),
        ("a: 'it''s\n  folded'\nb: \"x\\ty\\u00e9\\\n  z\"\n", ["a": "it's folded", "b": "x\tyéz"]),
        ("a: \"\\U0001F600\\x41\\L\"\n", ["a": "😀A\u{2028}"]),
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
        ("x-l: &l\n  max: 1\ns:\n  <<: [*l, {max: 3, min: 2}]\n", ["x-l": ["max": 1], "s": ["max": 1, "min": 2]]),
        ("x: &a {p: 1}\ny: {!!merge <<: *a}\nz: {\"<<\": 1}\n", ["x": ["p": 1], "y": ["p": 1], "z": ["<<": 1]]),
        ("a: &n\n  - 1\nb: *n\n", ["a": [1], "b": [1]]), ("a: &x 1\nb: &x 2\nc: *x\n", ["a": 1, "b": 2, "c": 2]),
        ("&a b: *a\n", ["b": "b"]), ("a: &k x\n*k : y\n", ["a": "x", "x": "y"]),
        ("? a\n: b\n", ["a": "b"]),
        ("? " + String(repeating: "k", count: 127) + "\n: v\n", [String(repeating: "k", count: 127): "v"]),
        (
            "a: !!str 12\nb: !!int \"5\"\nc: !!float 3\nd: !!null ''\ne: !!seq [x]\n",
            ["a": "12", "b": 5, "c": .number(3), "d": nil, "e": ["x"]]
        ),
        ("a:\r\n  b: c\r\n", ["a": ["b": "c"]]),
        ("\u{FEFF}a: b", ["a": "b"]), ("a:\n\n  # c\n  b: 1\n # d\ne: 2", ["a": ["b": 1], "e": 2]),
        ("{\"services\": {\"a\": {\"ports\": [\"80:80\"]}}}", ["services": ["a": ["ports": ["80:80"]]]]),
        ("a: ${X:-y}\nb: $$z\n", ["a": "${X:-y}", "b": "$$z"]),
    ]

    @Test(arguments: taken)
    func `a document is read alike by both readers, and read again after it was written`(text: String, value: JSONValue)
        throws
    {
        for schema in YAMLSchema.allCases {
            #expect(try YAMLReader.read(text, as: schema) == value)
            #expect(try YAMLReader.read(YAMLWriter.write(value), as: schema) == value)
        }
    }

    /// What docker-compose 1.29 and docker compose 2.26 print of each; nil where one refuses or mangles it.
    static let apart: [(String, old: JSONValue?, new: JSONValue?)] = [
        ("yes", true, "yes"), ("No", false, "No"), ("off", false, "off"), ("22:22", nil, "22:22"),
        ("8080:80", "8080:80", "8080:80"),
        ("1:30.5", nil, "1:30.5"), ("0:30", "0:30", "0:30"), ("1e3", "1e3", .number(1000)), ("0o12", "0o12", 10),
        ("0X1F", "0X1F", 31), ("08", "08", .number(8)), ("-.5", "-.5", -0.5), (".5", 0.5, 0.5),
        ("5.", .number(5), .number(5)), (".", ".", "."),
        ("1_0.5_0", 10.5, 10.5), ("0b11", 3, 3), ("-0x1f", -31, -31), ("0x_", nil, "0x_"), ("0x_1", 1, 1),
        ("100000000000000000000", nil, 1e20), ("10000000000000000000", nil, nil), ("1e400", "1e400", "1e400"),
        ("1.0e+400", nil, "1.0e+400"),
        ("2026-01-31", nil, nil), ("2026-01-31 10:00:00", nil, nil), ("2026-01-31-x", "2026-01-31-x", "2026-01-31-x"),
        (".inf", nil, nil), ("-.INF", nil, nil), (".nan", nil, nil), ("=", nil, "="), ("<<", nil, nil), ("+5", 5, 5),
        ("+", "+", "+"),
        ("1.5e3", "1.5e3", .number(1500)), ("! \"12\"", nil, nil), ("y", "y", "y"), ("~", .some(.null), .some(.null)),
    ]

    @Test(arguments: apart)
    func `a scalar means what the reader in question makes of it`(scalar: String, old: JSONValue?, new: JSONValue?) {
        func read(_ schema: YAMLSchema) -> JSONValue? {
            (try? YAMLReader.read("[\(scalar)]", as: schema))?.asArray?.first
        }
        #expect(read(.pyYAML) == old)
        #expect(read(.goYAML) == new)
        #expect(read(.both) == (old == new ? old : nil))
    }

    @Test func `a key that is no text is one only where docker-compose makes a text of it`() throws {
        #expect(try YAMLReader.read("80: x", as: .pyYAML) == ["80": "x"])
        for schema in YAMLSchema.allCases {
            for key in ["true", "~", "1.5", "[a]", "{a: b}"] {
                #expect(throws: YAMLError.self) { try YAMLReader.read("\(key): x", as: schema) }
            }
        }
        #expect(throws: YAMLError.self) { try YAMLReader.read("80: x", as: .goYAML) }
        #expect(throws: YAMLError.self) { try YAMLReader.read("no: x", as: .pyYAML) }
        #expect(try YAMLReader.read("no: x", as: .goYAML) == ["no": "x"])
    }

    static let refused: [(String, line: Int, column: Int)] = [
        ("a: 1\na: 2", 2, 1), ("a: b: c", 1, 5), ("a: !reset x", 1, 4), ("a: !!python/object x", 1, 4),
        ("? [a]\n: b", 1, 3),
        ("a: 1\n---\nb: 2", 2, 1), ("a: *none", 1, 4), ("a: &x [*x]", 1, 8), ("a: &x 1\nb: &x [*x]", 2, 8),
        ("a: [1, 2", 2, 1),
        ("a: \"x", 1, 6), ("a: \"\\q\"", 1, 5), ("a: \"\\ud800\"", 1, 7), ("a: \"\\0\"", 1, 4), ("a:\n\tb: 1", 2, 1),
        ("a: @x", 1, 4), ("a: x\u{0}", 1, 5), ("a: é\u{7F}", 1, 5), ("a: |q\n x", 1, 5), ("a:\n  <<: 1\n", 2, 7),
        ("a: - b", 1, 4),
        ("a: {<<: {}, <<: {}}", 1, 13), ("a: x\u{2028}b", 1, 5), ("a: \"\u{85}\"", 1, 5), ("a\n\u{FEFF}b: 1", 2, 1),
        ("a: !!int x", 1, 4),
        ("a: !!str [x]", 1, 4), ("%YAML 2.0\n---\na: 1", 1, 1), ("a: ]", 1, 4), ("a: [b}", 1, 6), ("a\nb: c", 2, 2),
        ("{?a: b}", 1, 3), ("é: &x:y z", 1, 4), ("a: &x 1\nb: [*x:]", 2, 5), ("- |+\n   ", 1, 3),
    ]

    @Test(arguments: refused)
    func `what could mean two things is refused with its place`(text: String, line: Int, column: Int) {
        let error = #expect(throws: YAMLError.self) { try YAMLReader.read(text) }
        #expect(error?.line == line && error?.column == column, "\(error?.description ?? "taken")")
    }

    @Test func `aliases upon aliases and deep nests stay bounded`() {
        var laughs = "a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha, ha]\n"
        for step in 1..<12 {
            laughs +=
                "a\(step): &a\(step) [" + Array(repeating: "*a\(step - 1)", count: 10).joined(separator: ", ") + "]\n"
        }
        #expect(throws: YAMLError.self) { try YAMLReader.read(laughs) }
        for nest in ["[", "{a: ", "- ", "? ", "[a, ", "{? "] {
            #expect(throws: YAMLError.self) { try YAMLReader.read(String(repeating: nest, count: 100_000)) }
        }
        #expect(throws: YAMLError.self) {
            try YAMLReader.read((0..<1000).map { String(repeating: " ", count: $0) + "a:\n" }.joined())
        }
    }

    /// Cuts and changed bytes of a real file: an answer or a refusal, never a trap, and what is taken survives writing.
    @Test func `damaged documents neither trap nor change when written`() throws {
        for _ in 0..<20_000 {
            let text = Damage.document()
            guard let value = try? YAMLReader.read(text) else { continue }
            #expect(try YAMLReader.read(YAMLWriter.write(value)) == value, "\(text)")
        }
    }
}

/// Documents that were whole once.
enum Damage {
    private static let sample = Array(YAMLTests.taken.map(\.0).joined(separator: "\n").utf8)
    private static let signs = Array("\n\t :-[]{}\"'|>&*#,!\\?%.=<~ab01_eyn".utf8)

    /// A piece of the samples with up to three bytes changed.
    static func document() -> String {
        let start = Int.random(in: 0..<sample.count)
        var piece = Array(sample[start..<min(sample.count, start + Int.random(in: 1...80))])
        for _ in 0..<Int.random(in: 0...3) { piece[Int.random(in: 0..<piece.count)] = signs.randomElement() ?? 0 }
        return String(decoding: piece, as: UTF8.self)
    }
}
