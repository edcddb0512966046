import DriverKit
import TestSupport
import Testing
import WireProtocol

/// Passwords stay where they belong.
@Suite struct SecretTests {
    /// Writes down the words of each call, then does what the tool does.
    private func listen(to server: PanelServer) throws {
        let tool = Checkout.emulator("cloudpanel/clpctl")
        try server.replaceTool(
            with: "echo \"$@\" >>\(server.root)/words; CLP_EMULATOR_ROOT=\(server.root) exec \(tool) \"$@\"")
    }

    @Test func `a site user's password reaches its account and no command line`() async throws {
        let server = try await PanelServer()
        try listen(to: server)
        let outcome = try await server.perform(
            "site.add", on: "site/example.com", ["domain": "example.com", "type": "static", "user": "s1"],
            secrets: ["site_user_password": "Tr0ub4dor&3:x"])
        #expect(outcome.changed)
        #expect(server.text("words").contains("--siteUserPassword="))
        #expect(!server.text("words").contains("Tr0ub4dor"))
        #expect(server.text("etc/shadow.d/s1").contains("hash of 13 characters"))
        #expect(!JSONValue.object(outcome.observed).text.contains("Tr0ub4dor"))
    }

    @Test func `a site without a password has a locked account, and each its own passing password`() async throws {
        let server = try await PanelServer()
        try listen(to: server)
        try await server.addStatic()
        try await server.addStatic("other.org", user: "s2")
        #expect(server.text("etc/shadow.d/s1").hasPrefix("!"))
        let words = server.text("words").split(whereSeparator: \.isWhitespace)
        let passwords = words.filter { $0.hasPrefix("--siteUserPassword=") }
        #expect(passwords.count == 2 && Set(passwords).count == 2)
        #expect(passwords.allSatisfy { $0.utf8.count == 19 + 32 })
    }

    @Test func `a database's password does not come back in an error`() async throws {
        let server = try await PanelServer()
        try await server.addStatic()
        try server.replaceTool(with: "echo \"databaseUserPassword: $* is weak\"; exit 1")
        let error = await server.failure {
            try await server.perform(
                "database.add", on: "database/a", ["domain": "example.com", "database": "a", "user": "a"],
                secrets: ["password": "correcthorse1"])
        }
        #expect(error?.code == .failed)
        #expect(error?.description.contains("[secret]") == true)
        #expect(error?.description.contains("correcthorse1") == false)
    }

    @Test func `secrets that nobody asked for are refused`() async throws {
        let server = try await PanelServer()
        let error = await server.failure {
            try await server.perform(
                "site.add", on: "site/example.com", ["domain": "example.com", "type": "static", "user": "s1"],
                secrets: ["password": "abcdefgh12"])
        }
        #expect(error?.code == .invalidArgument)
    }
}
