import CloudPanelDriver
import DriverKit
import Glibc
import TestSupport
import Testing
import WireProtocol

/// A tool that does everything but what it should.
@Suite struct HostileToolTests {
    @Test(
        arguments: [
            ["flood": ["site:add:static": 40_000_000]], ["behave": ["site:add:static": "bytes"]],
            ["behave": ["site:add:static": "close"]], ["behave": ["site:add:static": "grandchild"]],
        ] as [JSONObject])
    func `whatever it prints, a site that is there is a success`(settings: JSONObject) async throws {
        let server = try await PanelServer(settings)
        #expect(try await server.addStatic().changed)
        #expect(try await server.driver.inventory().count == 1)
    }

    struct Deed: Sendable, CustomTestStringConvertible {
        var script: String
        var code: DriverErrorCode
        var words: String
        var retryable = false
        var testDescription: String { script }
    }

    static let deeds = [
        Deed(script: "exit 0", code: .failed, words: "claims success"),
        Deed(script: "echo 'Site example.com has been added.'", code: .failed, words: "claims success"),
        Deed(script: "head -c 40000000 /dev/zero; exit 1", code: .failed, words: "failed"),
        Deed(script: #"printf 'bad \377\376\n'; exit 1"#, code: .failed, words: "bad \u{FFFD}\u{FFFD}"),
        Deed(script: "exec >&- 2>&-; sleep 0.2; exit 9", code: .failed, words: "code 9"),
        Deed(script: "echo half; kill -KILL $$", code: .unknownOutcome, words: "killed by signal 9", retryable: true),
        Deed(script: "echo 'siteUser: This value is too short.'; exit 1", code: .invalidArgument, words: "too short"),
        Deed(
            script: "echo 'SQLSTATE[HY000]: General error: 5 database is locked'; exit 1", code: .busy, words: "locked",
            retryable: true),
        Deed(script: "echo 'Command \"x\" is not defined.' >&2; exit 1", code: .unsupported, words: "as root"),
        Deed(script: "echo 'No space left on device'; exit 1", code: .outOfSpace, words: "full", retryable: true),
        Deed(
            script: "for w in \"$@\"; do echo \"wrong: $w\"; done; exit 1", code: .failed,
            words: "siteUserPassword=[secret]"),
    ]

    @Test(arguments: deeds)
    func `a tool that adds nothing is named for what it did`(deed: Deed) async throws {
        let server = try await PanelServer()
        try server.replaceTool(with: deed.script)
        let error = await server.failure { try await server.addStatic() }
        #expect(error?.code == deed.code && error?.retryable == deed.retryable, "\(String(describing: error))")
        #expect(error?.description.contains(deed.words) == true, "\(String(describing: error))")
        #expect((error?.cause?.utf8.count ?? 0) <= 1800)
    }

    @Test(arguments: [
        ("exec sleep 600", "was stopped"),
        ("trap '' TERM; while :; do sleep 0.05; done", "did not obey and was killed"),
        ("setsid sh -c 'trap \"\" TERM; sleep 600' & wait", "was stopped"), ("kill -STOP $$", "was killed"),
        ("setsid -f sleep 600; sleep 600", "was stopped"),
    ])
    func `a tool that is stopped in the middle of a change leaves it unknown`(script: String, words: String)
        async throws
    {
        let server = try await PanelServer()
        try server.replaceTool(with: "echo begun >\(server.root)/begun\n\(script)")
        let task = Task { try await server.addStatic() }
        #expect(await eventually { server.has("begun") })
        task.cancel()
        let error = await #expect(throws: DriverError.self) { try await task.value }
        #expect(error?.code == .unknownOutcome && error?.retryable == true)
        #expect(error?.message.contains(words) == true, "\(String(describing: error))")
    }

    @Test func `a tool that is not there, or may not run, is unavailable`() async throws {
        let server = try await PanelServer()
        try server.replaceTool(with: "exit 0")
        try server.folder.write([], to: "usr/bin/clpctl")
        chmod("\(server.root)/usr/bin/clpctl", 0o644)
        let error = await server.failure { try await server.addStatic() }
        #expect(error?.code == .permissionDenied)
        unlink("\(server.root)/usr/bin/clpctl")
        let gone = await server.failure { try await server.addStatic() }
        #expect(gone?.code == .unavailable && gone?.retryable == true)
    }

    @Test func `a site is looked at while a change hangs`() async throws {
        let server = try await PanelServer(["stand": ["site:add:static": "user"]])
        let task = Task { try await server.addStatic() }
        #expect(await eventually { server.has("run/standing") })
        #expect(try await server.driver.inventory().isEmpty)
        #expect(try await server.perform("site.list", on: "sites").observed["sites"] == [])
        task.cancel()
        _ = try? await task.value
    }
}
