import APIModels
import Processes
import SiteSupport
import Synchronization
import TestSupport
import Testing
import WireProtocol

/// A site with its planted secrets and everything that was said to those who use it.
final class PlantedRun: Sendable {
    let site: Site
    let watch = ProcessWatch()
    private let state = Mutex<(needles: [Needle], said: String)>(([], ""))

    /// Values of variables. The first has every character that some encoding escapes; the second is a password in a URL.
    let variables = [
        "DB_PASSWORD": Needle.value("variable", odd: #"'"\/=&%+é <>"#),
        "DATABASE_URL": "postgres://shop:\(Needle.value("url"))@db.example:5432/shop",
    ]
    let override = Needle.value("override")

    init(site: Site) async throws {
        self.site = site
        try await site.restartAgent(["log_level": "debug"])
        for (name, value) in variables { plant(name, value) }
        plant("override", override)
        plant("admin key", Self.secretPart(site.front.key))
        for (name, file) in Self.keyFiles { plant(name, Self.body(of: try site.folder.read(file))) }
        let identity = try JSONParser.parse(site.folder.read("agent/identity.json"))
        plant("node key", Self.body(of: Array(try #require(identity["key"]?.asString).utf8)))
    }

    var search: Search { Search(needles: state.withLock { $0.needles }) }
    var said: String { state.withLock { $0.said } }

    func plant(_ name: String, _ secret: String) {
        state.withLock { $0.needles.append(Needle(name, secret)) }
        watch.look(for: state.withLock { $0.needles })
    }

    func note(_ text: String) { state.withLock { $0.said += text + "\n" } }

    /// The command line, logged in by its own file: nothing secret is in its arguments or its environment.
    @discardableResult
    func innctl(_ arguments: [String], input: String = "", noting: Bool = true) async throws -> ProcessOutcome {
        let outcome = try await Programs.run(
            "innctl", arguments, environment: ["HOME": site.folder.file("home")], input: input)
        if noting { note(outcome.outputText + outcome.errorText) }
        return outcome
    }

    static let keyFiles = [
        ("authority's key", "controller/ca.key"), ("server's key", "controller/server.key"),
        ("key of tickets", "controller/tickets.key"), ("key of secrets", "controller/secrets.key"),
    ]

    /// The last part of `ikk1.ID.SECRET` and the third of `ikt1.ID.SECRET.PIN`.
    static func secretPart(_ text: String) -> String { String(text.split(separator: ".")[2]) }

    /// The longest line or word, which is part of no other file.
    private static func body(of bytes: [UInt8]) -> String {
        let words = String(decoding: bytes, as: UTF8.self).split { $0.isWhitespace }
        return String(words.filter { !$0.hasPrefix("-----") }.max { $0.count < $1.count } ?? "")
    }
}
