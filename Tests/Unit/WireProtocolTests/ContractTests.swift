import Glibc
import Testing
import WireProtocol

/// Code, schemas and vectors drift apart unless something holds them together.
@Suite struct `The contract` {
    static let types =
        AgentMessage.types.map { "agent.\($0)" } + ControllerMessage.types.map { "controller.\($0)" }

    @Test func `every message type has a schema and every schema a message type`() {
        let schemas = Folder.names(in: "schema").filter { $0 != "common.json" }.map { String($0.dropLast(5)) }
        #expect(schemas == Self.types.sorted())
    }

    @Test(arguments: types)
    func `every message type has a minimal and a full vector`(name: String) {
        let vectors = CanonicalVector.all.filter { "\($0.direction.rawValue).\($0.type)" == name }
        #expect(Set(vectors.map(\.variant)).isSuperset(of: ["minimal", "full"]))
    }

    @Test func `every message type decodes to a case of its own`() throws {
        for vector in CanonicalVector.all {
            #expect(try vector.direction.canonical(vector.line.dropLast()) != nil, "\(vector.testDescription)")
        }
    }

    @Test(arguments: [
        ("command_status", CommandStatus.known.map(\.code)), ("goodbye_code", GoodbyeCode.known.map(\.code)),
        ("gap_kind", GapKind.known.map(\.code)), ("output_stream", OutputStream.known.map(\.code)),
        ("command_error_code", CommandErrorCode.known.map(\.code)),
    ])
    func `the codes of a schema are the codes of the source`(name: String, codes: [String]) throws {
        let text = String(decoding: Folder.bytes(of: "schema/common.json"), as: UTF8.self)
        let schema = try JSONObject(parsing: text).object("$defs").object(name)
        #expect(try schema.list("anyOf", { $0 })[0].strings("enum") == codes)
    }

    @Test(arguments: try DescribedVector.invalid())
    func `every invalid vector says what it is about`(vector: DescribedVector) throws {
        #expect(try !vector.fields.string("about").isEmpty)
    }

    @Test func `the specification names every message type, goodbye code and error code`() {
        let text = String(decoding: Folder.bytes(of: "SPEC.md"), as: UTF8.self)
        let names =
            AgentMessage.types + ControllerMessage.types + GoodbyeCode.known.map(\.code)
            + CommandStatus.known.map(\.code)
            + CommandErrorCode.known.map(\.code)
        for name in names { #expect(text.contains("`\(name)`"), "SPEC.md does not mention \(name)") }
        for version in ProtocolVersion.supported { #expect(text.contains("| \(version) |")) }
    }

    /// The schemas judged by a validator that shares no code with this package.
    @Test func `check-vectors finds no fault`() throws {
        #expect(try run("\(Folder.proto)/check-vectors") == 0, "its output above says what is wrong")
    }

    private func run(_ program: String) throws -> Int32 {
        var process: pid_t = 0
        let arguments = [strdup(program), nil]
        defer { arguments.forEach { free($0) } }
        try #require(posix_spawn(&process, program, nil, nil, arguments, environ) == 0, "\(program) does not start")
        var status: Int32 = 0
        while waitpid(process, &status, 0) == -1 && errno == EINTR {}
        return status
    }
}
