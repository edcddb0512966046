import DriverKit
import Testing
import WireProtocol
import YAML

/// Ports behind a proxy and ports that move, in every form in which people write them.
@Suite struct TransformPortTests {
    private struct Answer {
        let ports: JSONValue?
        let changes: [String]
        let notDone: [String]
    }

    private func transformed(_ ports: String, _ transform: JSONObject) async throws -> Answer {
        let bench = try await ComposeBench()
        let content = "services:\n  web:\n    image: x\n    ports: \(ports)\n"
        let observed = try await bench.perform(
            "transform", ["project": "p", "content": .string(content), "transform": .object(transform)]
        ).observed
        let tree = try YAMLReader.read(try #require(observed["content"]?.asString))
        func texts(_ name: String) -> [String] { observed[name]?.asArray?.compactMap(\.asString) ?? [] }
        return Answer(ports: tree["services"]?["web"]?["ports"], changes: texts("changes"), notDone: texts("not_done"))
    }

    static let behind: [(String, Int64, JSONValue?, Bool)] = [
        ("[\"${PORT:-8080}:80\"]", 80, nil, true), ("[80]", 80, nil, true), ("[\"80\"]", 80, nil, true),
        ("[{target: 80, published: \"${P:-8080}\"}]", 80, nil, true),
        ("[\"127.0.0.1:${P}:80/tcp\", \"81:81\"]", 80, ["81:81"], true),
        ("[\"[::1]:8080:80\"]", 80, nil, true), ("[\"8080:80/udp\"]", 80, ["8080:80/udp"], false),
        ("[\"8080:81\"]", 80, ["8080:81"], false),
        ("[\"8000-8010:8000-8010\"]", 8005, ["8000-8004:8000-8004", "8006-8010:8006-8010"], true),
        ("[\"9000-9001:8000-8001\"]", 8000, ["9001:8001"], true), ("[\"8000-8002\"]", 8002, ["8000-8001"], true),
        ("[\"8000-8010:80\"]", 80, nil, true), ("[\"127.0.0.1:1-2:1-2\"]", 2, ["127.0.0.1:1:1"], true),
    ]

    @Test(arguments: behind)
    func `the proxy's port is known by the container's side`(ports: String, port: Int64, left: JSONValue?, isTold: Bool)
        async throws
    {
        let answer = try await transformed(
            ports, ["proxy": ["service": "web", "network": "swag", "port": .integer(port)]])
        #expect(answer.ports == left)
        #expect(answer.changes.contains { $0.contains("the proxy has") } == isTold, "\(answer.changes)")
    }

    @Test(arguments: [
        "[\"8080:${PORT}\"]", "[{target: \"${P}\", published: 1}]", "[\"8080:80/${T}\"]", "[\"${P}:8000-8010\"]",
        "[\"x\"]",
    ])
    func `a port that may be the proxy's is refused`(ports: String) async throws {
        let proxy: JSONObject = ["service": "web", "network": "swag", "port": 8005]
        let error = await #expect(throws: DriverError.self) { try await transformed(ports, ["proxy": .object(proxy)]) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains("keep_ports") == true, "\(String(describing: error))")
        var keeping = proxy
        keeping["keep_ports"] = true
        #expect(try await transformed(ports, ["proxy": .object(keeping)]).ports == YAMLReader.read(ports))
    }

    static let moved: [(String, JSONValue, Int)] = [
        (
            "[{target: 80, published: 8080, mode: host, name: web}]",
            [["target": 80, "published": 9090, "mode": "host", "name": "web"]], 0
        ),
        (
            "[{target: 80, published: \"8080\", app_protocol: http}]",
            [["target": 80, "published": "9090", "app_protocol": "http"]], 0
        ),
        ("[\"8080:${PORT:-80}\"]", ["9090:${PORT:-80}"], 0),
        ("[\"127.0.0.1:8080:80/udp\"]", ["127.0.0.1:9090:80/udp"], 0),
        ("[\"[::1]:8080:80\"]", ["[::1]:9090:80"], 0), ("[\"${P:-8080}:80\"]", ["${P:-8080}:80"], 2), ("[80]", [80], 1),
        ("[\"8079-8081:79-81\"]", ["8079:79", "9090:80", "8081:81"], 0),
        ("[\"8080-8082:80-82\"]", ["9090:80", "8081-8082:81-82"], 0),
        ("[\"8000-8100:80\"]", ["8000-8100:80"], 1), ("[\"7000:70\"]", ["7000:70"], 1),
    ]

    @Test(arguments: moved)
    func `a port moves with all that its entry says, or the answer says that it does not`(
        ports: String, result: JSONValue, notDone: Int
    ) async throws {
        let answer = try await transformed(ports, ["ports": ["8080": 9090]])
        #expect(answer.ports == result)
        #expect(answer.notDone.count == notDone, "\(answer.notDone)")
        #expect(answer.changes.count == (notDone == 0 ? 1 : 0))
    }

    @Test func `what a variable hides, or the file has not, is told`() async throws {
        let bench = try await ComposeBench()
        let content = "services: {web: {image: x, volumes: [\"${D}:/x\", \"./y:/y\"]}}\n"
        let outcome = try await bench.perform(
            "transform",
            [
                "project": "p", "content": .string(content),
                "transform": ["appdata": "/srv/apps", "networks": ["old": "lan"]],
            ])
        let told = outcome.observed["not_done"]?.asArray?.compactMap(\.asString) ?? []
        #expect(told.count == 2 && told[0].contains("${D}") && told[1].contains("network old"), "\(told)")
    }
}
