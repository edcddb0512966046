import DriverKit
import TestSupport
import Testing
import WireProtocol

@testable import CloudPanelDriver

/// Whose a site is: a file that only root may read, and never what lies in the site's own home.
@Suite struct MarkTests {
    private static let own: JSONObject = ["mark": ["service": "svc_1"]]
    private static let other: JSONObject = ["mark": ["service": "svc_2"]]
    private static let path = "var/lib/innkeeper/cloudpanel/marks/example.com"

    private func add(_ server: PanelServer, _ mark: JSONObject) async throws -> ActionOutcome {
        var arguments: JSONObject = ["type": "static", "user": "s1"]
        arguments["mark"] = mark["mark"]
        return try await server.site("add", "example.com", arguments)
    }

    private func expectForeign(_ server: PanelServer, _ mark: JSONObject) async {
        for action in ["suspend", "resume", "permissions", "delete", "add", "mark"] {
            let error = await server.failure {
                action == "add" ? try await add(server, mark) : try await server.site(action, "example.com", mark)
            }
            #expect(error?.code == .foreign, "\(action)")
        }
        var database = mark
        database["domain"] = "example.com"
        database["database"] = "shop"
        database["user"] = "shop"
        let error = await server.failure {
            try await server.perform(
                "database.add", on: "database/shop", database, secrets: ["password": "abcdefgh12345678"])
        }
        #expect(error?.code == .foreign)
    }

    @Test func `a site bears the mark that it was made with, and goes with it`() async throws {
        let server = try await PanelServer()
        let made = try await add(server, Self.own)
        #expect(made.observed["mark"] == ["service": "svc_1", "nonce": "test"])
        #expect(server.text(Self.path) == "svc_1\ntest\ns1\n")
        await expectForeign(server, Self.other)
        await expectForeign(server, ["mark": ["service": "svc_1", "nonce": "of-another-making"]])
        #expect(try await !add(server, Self.own).changed)
        #expect(try await server.site("suspend", "example.com", Self.own).changed)
        #expect(try await server.site("delete", "example.com", Self.own).changed)
        #expect(!server.has(Self.path))
    }

    @Test func `a site of before marks is a finding until it is taken into care`() async throws {
        let server = try await PanelServer()
        try await server.addStatic()
        let unmarked = try await server.site("suspend", "example.com", Self.own)
        #expect(unmarked.changed && unmarked.observed["unmarked"] == true)
        #expect(try await server.site("mark", "example.com", Self.own).changed)
        #expect(try await !server.site("mark", "example.com", Self.own).changed)
        #expect(try await server.site("resume", "example.com", Self.own).observed["unmarked"] == nil)
        await expectForeign(server, Self.other)
    }

    @Test func `another site under the name that a marked one had bears no mark`() async throws {
        let server = try await PanelServer()
        _ = try await add(server, Self.own)
        try await server.clpctl("site:delete", "--domainName=example.com", "--force")
        try await server.clpctl(
            "site:add:static", "--domainName=example.com", "--siteUser=s9", "--siteUserPassword=abcdefgh12345678")
        let seen = try await server.site("suspend", "example.com", Self.own)
        #expect(seen.observed["unmarked"] == true, "the account is another one")
    }

    @Test func `a site that could not be made leaves no mark`() async throws {
        let server = try await PanelServer()
        try server.replaceTool(with: "echo no; exit 1")
        _ = await server.failure { try await add(server, Self.own) }
        #expect(!server.has(Self.path))
    }
}
