import DriverKit
import Glibc
import TestSupport
import Testing
import WireProtocol

/// What the tool says reaches whoever asked, in words of the project.
@Suite struct ComposeWordsTests {
    static let image = "services:\n  web:\n    image: \(Workbench.image)\n"

    @Test(arguments: ["validate", "deploy"])
    func `a warning of a file that is taken is told`(operation: String) async throws {
        let bench = try await ComposeBench()
        let project = Workbench.name("warned")
        var arguments: JSONObject = [
            "project": .string(project),
            "content": .string(ComposeBench.sleeper("environment: [\"AUTH=u:$apr1$abc$def\"]")),
        ]
        if operation == "deploy" { arguments["pull"] = false }
        let warnings = try await bench.perform(operation, arguments).observed["warnings"]?.asArray ?? []
        #expect(warnings.count == 3)
        #expect(warnings.first?.asString?.contains("apr1") == true)
        let escaped = ComposeBench.sleeper("environment: [\"AUTH=u:$$apr1$$abc$$def\"]")
        arguments["content"] = .string(escaped)
        #expect(try await bench.perform(operation, arguments).observed["warnings"] == [])
        if operation == "deploy" { try await bench.down(project) }
    }

    @Test(arguments: [
        ("    environment: {PW: \"${DB_PW:?set it}\"}\n", "set it"), ("    volumes: [\"gone:/x\"]\n", "gone"),
        ("    volumes: [\"${D-./d\"]\n", "${D-./d"), ("    environment: 5\n", "environment"),
        ("    networks: [nowhere]\n", "nowhere"), ("    secrets: [gone]\n", "gone"),
        ("    ports: [\"a:b\"]\n", "b"),
        ("    mem_limit: [1]\n", "mem_limit"),
    ])
    func `the tool's refusal of a file is an invalid argument in its words`(line: String, word: String) async throws {
        let bench = try await ComposeBench()
        for operation in ["validate", "deploy"] {
            let error = await bench.failure("words", Self.image + line, operation: operation)
            #expect(error?.code == .invalidArgument, "\(String(describing: error))")
            #expect(error?.description.contains(word) == true, "\(String(describing: error))")
            #expect(error?.description.contains(".check-") == false && error?.description.contains(".next") == false)
        }
        #expect(bench.file("words") == nil)
    }

    @Test func `a file that is only tried is told by the name that it would have`() async throws {
        let folder = try ScratchFolder("tool")
        let deed = "while [ \"$1\" != -f ] && [ $# -gt 0 ]; do shift; done; pwd >&2; ls $(pwd)/.compose* >&2; exit 1"
        let bench = try await ComposeBench(tool: HostileToolTests.tool(folder, deed))
        for operation in ["validate", "deploy"] {
            let error = await bench.failure("named", ComposeBench.sleeper(), operation: operation)
            #expect(error?.cause?.contains("\(bench.root)/named/compose.yaml") == true, "\(String(describing: error))")
        }
    }

    @Test func `validate and deploy take the same filled-in paths`() async throws {
        let bench = try await ComposeBench()
        let project = Workbench.name("paths")
        for (place, isTaken) in [
            ("./data", true), ("./data/sub", true), ("./other", false), ("..", false), ("/etc", false),
        ] {
            // What runs already could lead the way of what lies below its own folder elsewhere.
            if place == "./data/sub" { try await bench.down(project) }
            let content = ComposeBench.sleeper("volumes: [\"${D:-\(place)}:/x\"]")
            let checked = await bench.failure(project, content, operation: "validate")
            let deployed = await bench.failure(project, content)
            #expect((checked == nil) == isTaken, "\(place): \(String(describing: checked))")
            #expect(deployed?.code == checked?.code && deployed?.cause == checked?.cause, "\(place)")
        }
        try await bench.down(project)
    }

    @Test func `no and off are no where yes or no is asked`() async throws {
        let bench = try await ComposeBench()
        for word in ["no", "off", "false", "\"no\""] {
            let content =
                Self.image + "    privileged: \(word)\n    volumes: [\"v:/x\"]\nvolumes: {v: {external: \(word)}}\n"
            let error = await bench.failure("off", content, operation: "validate")
            #expect(error == nil, "\(word): \(String(describing: error))")
            let risky = await bench.failure("off", Self.image + "    privileged: yes\n", operation: "validate")
            #expect(risky?.code == .permissionDenied)
        }
    }

    @Test(arguments: [1, 126, 127, 500, 2000])
    func `a label of any length survives the tool`(length: Int) async throws {
        let bench = try await ComposeBench()
        let content = Self.image + "    labels: [\"\(String(repeating: "k", count: length))=x\"]\n"
        #expect(await bench.failure("long", content, operation: "validate") == nil)
    }

    @Test func `the plugin's levels are told apart, and its quotes are taken away`() async throws {
        let folder = try ScratchFolder("tool")
        let deed = """
            [ "$1" = config ] || exit 0
            echo 'time="2026-11-30T00:00:00Z" level=warning msg="The \\"apr1\\" variable is not set."' >&2
            echo 'time="2026-11-30T00:00:00Z" level=warning msg="The \\"apr1\\" variable is not set."' >&2
            echo 'time="2026-11-30T00:00:00Z" level=info msg="nothing to see"' >&2
            echo 'plain words' >&2
            for i in $(seq 1 1000); do echo "word $i $KEY" >&2; done
            echo '{"services":{"web":{"image":"x"}}}'
            """
        let bench = try await ComposeBench(tool: HostileToolTests.tool(folder, deed))
        let outcome = try await bench.perform(
            "validate", ["project": "levels", "content": .string(ComposeBench.sleeper())],
            secrets: ["env": ["KEY": "hunter2"]])
        let warnings = outcome.observed["warnings"]?.asArray?.compactMap(\.asString) ?? []
        #expect(warnings.prefix(3) == ["The \"apr1\" variable is not set.", "plain words", "word 1 ***"])
        #expect(warnings.count == 50)
    }

    @Test func `each tool's reading of a scalar counts`() async throws {
        let folder = try ScratchFolder("tool")
        let content = ComposeBench.sleeper("environment: {A: yes, B: 0o17}\nlabels: {C: off}")
        func environment(_ tool: [String]?) async throws -> JSONValue? {
            let bench = try await ComposeBench(tool: tool)
            let outcome = try await bench.perform(
                "transform", ["project": "read", "content": .string(content), "transform": [:]])
            return .string(outcome.observed["content"]?.asString ?? "")
        }
        let plugin = try await environment(HostileToolTests.tool(folder, "exit 0"))?.asString
        #expect(
            plugin?.contains("A: \"yes\"") == true && plugin?.contains("B: 15") == true
                && plugin?.contains("C: \"off\"") == true)
        let old = try await environment(HostileToolTests.tool(folder, "exit 0", version: "1.29.2"))?.asString
        #expect(
            old?.contains("A: true") == true && old?.contains("B: \"0o17\"") == true
                && old?.contains("C: false") == true)
        let none = try await ComposeBench(tool: ["/nonexistent/compose"]).failure(
            "read", content, operation: "transform", ["transform": [:]])
        #expect(none?.code == .invalidArgument && none?.cause?.contains("docker-compose 1.29") == true)
    }
}
