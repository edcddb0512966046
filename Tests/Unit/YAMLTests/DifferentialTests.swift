import Glibc
import Processes
import Testing
import WireProtocol

@testable import YAML

/// The same texts to PyYAML, by which docker-compose reads: whatever both take must be the same.
@Suite struct DifferentialTests {
    /// For each line, a JSON string, one line: what PyYAML made of it with each value's type, or null.
    static let reader = """
        import json, struct, sys, yaml
        def tagged(value):
            if value is None: return ["null"]
            if isinstance(value, bool): return ["bool", str(value)]
            if isinstance(value, int): return ["int", str(value)]
            if isinstance(value, float): return ["float", str(struct.unpack(">q", struct.pack(">d", value))[0])]
            if isinstance(value, str): return ["str", value]
            if isinstance(value, list): return ["list"] + [tagged(item) for item in value]
            if isinstance(value, dict):
                return ["dict"] + sorted([str(key), tagged(item)] for key, item in value.items())
            raise ValueError(type(value))
        for line in sys.stdin:
            try: print(json.dumps(tagged(yaml.safe_load(json.loads(line)))))
            except Exception: print("null")
        """

    static func tagged(_ value: JSONValue) -> JSONValue {
        switch value {
        case .null: ["null"]
        case .bool(let value): ["bool", value ? "True" : "False"]
        case .integer(let value): ["int", .string(String(value))]
        case .number(let value): ["float", .string(String(Int64(bitPattern: value.bitPattern)))]
        case .string(let value): ["str", .string(value)]
        case .array(let values): .array([.string("list")] + values.map(tagged))
        case .object(let object):
            .array(
                [.string("dict")]
                    + object.members.sorted { $0.key.unicodeScalars.lexicographicallyPrecedes($1.key.unicodeScalars) }
                    .map { [.string($0.key), tagged($0.value)] })
        }
    }

    /// What PyYAML makes of each text; nil where it refuses.
    static func read(_ texts: [String]) async throws -> [JSONValue?] {
        let lines = texts.map { JSONValue.string($0).text + "\n" }.joined()
        let outcome = try await Child.run(
            ProcessRequest(
                "/usr/bin/python3", ["-c", reader], standardInput: .bytes(Array(lines.utf8)), outputLimit: 64 << 20))
        try #require(outcome.succeeded, "python3-yaml is needed")
        return try outcome.outputText.split(separator: "\n").map {
            let value = try JSONParser.parse(Array($0.utf8), limits: .local)
            return value.isNull ? JSONValue?.none : value
        }
    }

    @Test func `what both take is the same`() async throws {
        let texts =
            YAMLTests.taken.map(\.0) + YAMLTests.apart.map { "[\($0.0)]" } + (0..<5000).map { _ in Damage.document() }
        var both = 0
        for (text, other) in zip(texts, try await Self.read(texts)) {
            guard let other, let own = try? YAMLReader.read(text, as: .pyYAML) else { continue }
            both += 1
            #expect(Self.tagged(own) == other, "\(text)")
        }
        #expect(both > 500)
    }

    /// `INNKEEPER_YAML_SUITE` names a folder whose folders hold `in.yaml` and, where there is a value, `in.json`: the form of
    /// the public YAML test suite, which is no part of this project.
    @Test(.enabled(if: getenv("INNKEEPER_YAML_SUITE") != nil))
    func `of a suite of documents nothing is misread`() async throws {
        let suite = try YAMLSuite(String(cString: getenv("INNKEEPER_YAML_SUITE")))
        for schema in YAMLSchema.allCases {
            let result = suite.result(as: schema)
            print("\(schema):", result)
            if schema == .both { #expect(result.misread.isEmpty) }
        }
        for (text, other) in zip(suite.texts, try await Self.read(suite.texts)) {
            guard let other, let own = try? YAMLReader.read(text, as: .pyYAML) else { continue }
            #expect(Self.tagged(own) == other, "\(text)")
        }
    }
}
