import Model
import Testing

/// Texts that a grammar takes and texts that it must not.
struct GrammarCase: CustomTestStringConvertible, Sendable {
    let grammar: Grammar
    let accepted: [String]
    let refused: [String]

    var testDescription: String { grammar.field }

    private static let digest = "sha256:" + String(repeating: "0a", count: 32)

    static let all: [GrammarCase] = [
        GrammarCase(
            grammar: .nodeName, accepted: ["a", "node-1", "n1.example.org", String(repeating: "a", count: 63)],
            refused: ["-a", "a-", "A", "a..b", ".a", "a.", "a_b", "a/b", String(repeating: "a", count: 64)]),
        GrammarCase(
            grammar: .labelKey, accepted: ["zone", "example.org/zone", "a_b", "A1"],
            refused: ["-a", "a-", "a:b", "a=b", "a//b", "a/../b", "a/", String(repeating: "a", count: 64)]),
        GrammarCase(
            grammar: .containerName, accepted: ["ab", "svc_1.x-y", "0a"], refused: ["a", "-ab", "_ab", ".ab", "a/b"]),
        GrammarCase(
            grammar: .imageReference,
            accepted: [
                "busybox", "busybox:1.36", "library/busybox", "registry.example.org:5000/team/web-app:v1.2_3",
                "localhost/x",
                "x@\(digest)", "reg.io/a/b:t@\(digest)", "a__b", "a--b", "LOCAL.example/x", "localhost:5000/x",
            ],
            refused: [
                "-x", "x:", ":x", "X", "x:-tag", "x@sha256:12", "x@\(digest)@\(digest)", "a//b", "/a", "a/", "a___b",
                "a..b", "a-",
                "reg:0/x", "reg:99999/x", "x:a:b", "UPPER/x", "x:\(String(repeating: "t", count: 129))",
            ]),
        GrammarCase(
            grammar: .datasetName, accepted: ["tank", "tank/innkeeper/svc_01k2", "t/a.b-c:d"],
            refused: [
                "/tank", "tank/", "tank//a", "tank/..", "tank/.", "tank/-a", "tank@s", "tank/a%b", "tank#b", "tank/a,b",
            ]),
        GrammarCase(
            grammar: .snapshotName, accepted: ["initial", "2026-08-01T12:00"],
            refused: ["%", "a%b", "a,b", "a@b", "a/b", "-d", ".", "..", String(repeating: "s", count: 55)]),
        GrammarCase(
            grammar: .poolName, accepted: ["tank", "rpool-2"],
            refused: ["mirror", "mirror0", "raidz1", "draid", "spares", "log", "0tank", "-tank", "tank/x"]),
        GrammarCase(
            grammar: .absolutePath, accepted: ["/", "/data", "/var/lib/innkeeper/x y", "/.hidden", "/a...b", "/é"],
            refused: [
                "data", "./a", "/a/../b", "/..", "/a/.", "//", "/a//b", "/a/", "/a\u{7F}",
                String(repeating: "/a", count: 2048),
            ]),
        GrammarCase(
            grammar: .environmentName, accepted: ["PATH", "_x1", "a"],
            refused: ["1A", "A=B", "A-B", String(repeating: "A", count: 129)]),
        GrammarCase(
            grammar: .externalID, accepted: ["42", "order#7/x", String(repeating: "~", count: 128)],
            refused: [String(repeating: "~", count: 129)]),
        GrammarCase(grammar: .planName, accepted: ["small", "web-2.large"], refused: ["Small", "-a", "a-", "a/b"]),
        GrammarCase(
            grammar: .hostPort,
            accepted: ["controller:7443", "10.0.0.1:1", "[::1]:65535", "[2001:DB8::1]:443", "A.example.org:80"],
            refused: [
                "controller", "controller:", ":80", "controller:0", "controller:65536", "controller:080", "::1:80",
                "[::1]", "[]:80",
                "[::1:80", "a_b:80", "controller:8x", "user@host:80", "-h:80", "[g::1]:80", "[1]:80",
            ]),
        GrammarCase(
            grammar: .identifier, accepted: ["a", "op_01k2", "x:y.z-1"],
            refused: ["-a", "_a", "a/b", String(repeating: "a", count: 129)]),
    ]
}

@Suite struct `Grammars` {
    @Test(arguments: GrammarCase.all)
    func `a grammar takes what is right`(example: GrammarCase) {
        for text in example.accepted { #expect(throws: Never.self, "\(text)") { try example.grammar.check(text) } }
    }

    @Test(arguments: GrammarCase.all)
    func `a grammar refuses what is wrong`(example: GrammarCase) {
        for text in example.refused { #expect(!example.grammar.accepts(text), "\(text)") }
    }

    /// What could change the meaning of a command line, a path or a log line, whatever the grammar.
    @Test(arguments: GrammarCase.all)
    func `no grammar takes an empty or a dangerous text`(example: GrammarCase) {
        let hostile = ["", "\u{0}", "a\u{0}", "a\nb", "a\n", "\u{1B}[31m", "-rf", "--", "a\r", "\u{85}\n"]
        for text in hostile + example.accepted.flatMap({ [$0 + "\n", $0 + "\u{0}", "-" + $0] }) {
            let dashIsHarmless = example.grammar.field == "external id" && !text.utf8.contains { $0 < 0x20 }
            #expect(text.hasPrefix("-") && dashIsHarmless || !example.grammar.accepts(text), "\(text.debugDescription)")
        }
    }

    @Test func `a label may have an empty value`() {
        #expect(Grammar.labelValue.accepts(""))
        #expect(Grammar.labelValue.accepts("eu-1"))
        for text in ["-a", "a-", "a b", "a/b", "a\n", String(repeating: "a", count: 64)] {
            #expect(!Grammar.labelValue.accepts(text))
        }
    }

    @Test func `an error quotes little, and nothing that moves a terminal`() {
        let long = "\u{1B}[31m\n" + String(repeating: "x", count: 500)
        let error = #expect(throws: GrammarError.self) { try Grammar.nodeName.check(long, field: "node") }
        #expect(error?.value.count == 65)
        #expect(error?.description.unicodeScalars.allSatisfy { $0.value >= 0x20 } == true)
        #expect(error?.description.hasPrefix("node \"�[31m�xxx") == true)
    }
}
