import HTTPFetch
package import TestSupport
package import WireProtocol

/// Cloudflare, Nginx Proxy Manager, ISPConfig, Matomo and a name server, as they behave, on loopback ports. They end with this object.
package final class StandIns: Sendable {
    /// What the stand-ins are called.
    package enum Name: String, Sendable {
        case cloudflare, npm, ispconfig, matomo, supabase, dns, http, https, control, controller, receiver
    }

    package let folder: ScratchFolder
    private let program: BackgroundProgram
    private let ports: JSONValue
    private let client = HTTPClient()

    private init(_ folder: ScratchFolder, _ program: BackgroundProgram, _ ports: JSONValue) {
        (self.folder, self.program, self.ports) = (folder, program, ports)
    }

    /// - Parameters:
    ///   - proxy: whether a real nginx answers for the routes.
    ///   - address: of the loopback, where nginx is on the ports that the world asks; needs root.
    package static func with(
        proxy: Bool = false, address: String? = nil, _ body: (StandIns) async throws -> Void
    ) async throws {
        try await with("up", (proxy ? ["--proxy"] : []) + (address.map { ["--address", $0] } ?? []), body)
    }

    /// The controller's API alone, over HTTPS. Its authority is `ca.pem` in the folder.
    package static func withController(_ body: (StandIns) async throws -> Void) async throws {
        try await with("controller", [], body)
    }

    /// A receiver of webhooks alone, which checks their signatures by itself.
    package static func withReceiver(_ body: (StandIns) async throws -> Void) async throws {
        try await with("receiver", [], body)
    }

    /// Supabase alone, over a PostgreSQL of its own.
    package static func withTables(_ body: (StandIns) async throws -> Void) async throws {
        // Debian's own Python has Debian's packages.
        try await with("tables", python: "/usr/bin/python3", [], body)
    }

    private static func with(
        _ script: String, python: String = "python3", _ words: [String], _ body: (StandIns) async throws -> Void
    ) async throws {
        let folder = try ScratchFolder("stand-ins")
        let program = try BackgroundProgram(
            python, ["\(Checkout.root)/Tests/Support/StandIns/\(script)", folder.path] + words,
            log: folder.file("log"))
        guard await eventually({ (try? folder.read("ports.json")) != nil }), let bytes = try? folder.read("ports.json")
        else {
            let output = program.output
            await program.stop()
            throw SetupFailure("the stand-ins do not start: \(output.suffix(2000))")
        }
        let standIns = StandIns(folder, program, try JSONParser.parse(bytes))
        do { try await body(standIns) } catch {
            await program.stop()
            throw error
        }
        await program.stop()
    }

    package func port(_ name: Name) -> Int { Int(ports[name.rawValue]?.asInteger ?? 0) }

    package func url(_ name: Name) -> String { "http://127.0.0.1:\(port(name))" }

    /// Faults by a part of the request's line: `{"on": "POST /zones", "kind": "lost", "times": 1}`. They replace those of before.
    package func fault(_ name: Name, _ faults: JSONValue...) async throws {
        try await post("\(name.rawValue)/faults", .array(faults))
    }

    /// Changes what is there, as somebody else would.
    package func change(_ name: Name, _ change: JSONValue) async throws {
        try await post("\(name.rawValue)/change", change)
    }

    package func state(_ name: Name) async throws -> JSONValue { try await look(name)["state"] ?? nil }

    /// The lines of the requests, without headers and bodies.
    package func log(_ name: Name) async throws -> [String] {
        try await look(name)["log"]?.asArray?.compactMap(\.asString) ?? []
    }

    /// What the real service would not have taken.
    package func violations(_ name: Name) async throws -> [String] {
        try await look(name)["violations"]?.asArray?.compactMap(\.asString) ?? []
    }

    private func look(_ name: Name) async throws -> JSONValue {
        let response = try await client.send(HTTPRequest("GET", "\(url(.control))/\(name.rawValue)"))
        return try JSONParser.parse(response.body)
    }

    private func post(_ path: String, _ body: JSONValue) async throws {
        let request = HTTPRequest("POST", "\(url(.control))/\(path)", body: .bytes(body.encoded))
        let response = try await client.send(request)
        guard response.status == 200 else { throw SetupFailure("the stand-ins do not take \(path)") }
    }
}
