import DriverKit
import Glibc
import TestSupport
import Testing
import WireProtocol

/// Users of the panel, its templates, and the modes of a site's files.
@Suite struct UserTests {
    private func user(
        _ server: PanelServer, _ operation: String, _ more: JSONObject = [:],
        secrets: JSONObject = DatabaseTests.password
    ) async throws -> ActionOutcome {
        var arguments: JSONObject = ["user": "jane"]
        for member in more.members { arguments[member.key] = member.value }
        return try await server.perform("user.\(operation)", on: "user/jane", arguments, secrets: secrets)
    }

    static let jane: JSONObject = [
        "email": "jane@example.com", "first_name": "Jane", "last_name": "Doe-Smith", "role": "user",
        "sites": ["example.com"],
    ]

    @Test func `a user is added once with a role and sites, and removed once`() async throws {
        let server = try await PanelServer()
        try await server.addStatic()
        let first = try await user(server, "add", Self.jane)
        #expect(first.changed && first.observed["role"] == "user" && first.observed["sites"] == ["example.com"])
        let second = try await user(server, "add", Self.jane)
        #expect(!second.changed && second.observed == first.observed)
        let list = try await server.perform("user.list", on: "users")
        #expect(list.observed["users"]?.asArray?.count == 1)
        var other = Self.jane
        (other["role"], other["sites"]) = ("admin", nil)
        let conflict = await server.failure { try await user(server, "add", other) }
        #expect(conflict?.code == .conflict && conflict?.message.contains("role, sites") == true)
        #expect(try await user(server, "delete", secrets: [:]).changed)
        #expect(try await !user(server, "delete", secrets: [:]).changed)
    }

    @Test func `a name beyond ASCII reaches the panel, whose shells and PHP decode by the locale`() async throws {
        let server = try await PanelServer()
        try await server.addStatic()
        // As the real one: a shell in front, which counts characters by its locale.
        try server.replaceTool(
            with: #"exec bash -c 'for word; do printf "%s " ${#word}; done; locale charmap; exit 1' bash "$@""#)
        var arguments = Self.jane
        (arguments["first_name"], arguments["last_name"]) = ("Jürgen", "Łoś")
        let error = await server.failure { try await user(server, "add", arguments) }
        let told = [error?.message, error?.cause].compactMap { $0 }.joined(separator: " ")
        // --firstName=Jürgen and --lastName=Łoś.
        #expect(told.contains(" 18 14 ") && told.contains("UTF-8"), "\(told)")
    }

    @Test func `a password becomes another one, of a user that is there`() async throws {
        let server = try await PanelServer()
        try await server.addStatic()
        let missing = await server.failure { try await user(server, "password") }
        #expect(missing?.code == .notFound)
        _ = try await user(server, "add", Self.jane)
        #expect(try await user(server, "password").changed)
        try server.replaceTool(with: "echo 'Password for \"jane\" has been reset.'")
        let error = await server.failure { try await user(server, "password") }
        #expect(error?.code == .failed && error?.message.contains("old one") == true)
    }

    @Test(
        arguments: [
            ["role": "root"], ["sites": []], ["sites": ["a;b"]], ["email": "jane"], ["email": "-a@b.c"],
            ["first_name": "$(id)"], ["last_name": "O'Neil"], ["timezone": "../etc"], ["role": "admin"],
        ] as [JSONObject])
    func `what does not fit a user is refused`(wrong: JSONObject) async throws {
        let server = try await PanelServer()
        try await server.addStatic()
        var arguments = Self.jane
        for member in wrong.members { arguments[member.key] = member.value }
        let error = await server.failure { try await user(server, "add", arguments) }
        #expect(error?.code == .invalidArgument)
    }

    @Test func `a user for a site that is not there is refused`() async throws {
        let server = try await PanelServer()
        let error = await server.failure { try await user(server, "add", Self.jane) }
        #expect(error?.code == .notFound)
    }

    @Test func `a template is added once, used, shown and removed, and the panel's own stay`() async throws {
        let server = try await PanelServer()
        let text = "server { {{server_name}} {{root}} }"
        let arguments: JSONObject = ["template": "Shop 2", "text": .string(text), "root_directory": "public"]
        #expect(try await server.perform("template.add", on: "template/Shop 2", arguments).changed)
        #expect(try await !server.perform("template.add", on: "template/Shop 2", arguments).changed)
        let shown = try await server.perform("template.show", on: "templates", ["template": "Shop 2"])
        #expect(shown.observed["text"] == .string(text) && shown.observed["root_directory"] == "public")
        let site = try await server.site(
            "add", "example.com", ["type": "php", "php_version": "8.3", "vhost_template": "Shop 2", "user": "s1"])
        #expect(site.observed["root"] == "/home/s1/htdocs/example.com/public")
        let list = try await server.perform("template.list", on: "templates")
        #expect(list.observed["templates"]?.asArray?.filter { $0.asObject?["system"] == false }.count == 1)
        #expect(try await server.perform("template.delete", on: "template/Shop 2", ["template": "Shop 2"]).changed)
        #expect(try await !server.perform("template.delete", on: "template/Shop 2", ["template": "Shop 2"]).changed)
        let own = await server.failure {
            try await server.perform("template.delete", on: "template/Generic", ["template": "Generic"])
        }
        #expect(own?.code == .conflict)
        let other = await server.failure {
            try await server.perform(
                "template.add", on: "template/Generic", ["template": "Generic", "text": .string(text + " # own")])
        }
        #expect(other?.code == .conflict)
    }

    @Test(arguments: ["", "server { {{root}} }", "# {}\nserver { {{server_name}} {{root}} }"])
    func `a template that the panel would not take or misread is refused`(text: String) async throws {
        let server = try await PanelServer()
        let error = await server.failure {
            try await server.perform("template.add", on: "template/X", ["template": "X", "text": .string(text)])
        }
        #expect(error?.code == .invalidArgument)
    }

    @Test func `a site's files get their modes, once`() async throws {
        let server = try await PanelServer()
        try await server.addStatic()
        try server.folder.write([1], to: "home/s1/htdocs/example.com/index.html")
        let first = try await server.site("permissions", "example.com", ["directories": "750", "files": "640"])
        #expect(first.changed)
        #expect(try await !server.site("permissions", "example.com", ["directories": "750", "files": "640"]).changed)
        #expect(try await server.site("permissions", "example.com").changed)
        for wrong in ["777", "7700", "9", "abc", "070"] {
            let error = await server.failure {
                try await server.site("permissions", "example.com", ["directories": .string(wrong)])
            }
            #expect(error?.code == .invalidArgument, "\(wrong)")
        }
    }

    @Test func `a link that leads out of the site is not followed`() async throws {
        let server = try await PanelServer()
        try await server.addStatic()
        try #require(symlink("/etc", "\(server.root)/home/s1/htdocs/example.com/out") == 0)
        let error = await server.failure { try await server.site("permissions", "example.com", ["path": "/out"]) }
        #expect(error?.code == .conflict)
        let missing = await server.failure { try await server.site("permissions", "example.com", ["path": "/none"]) }
        #expect(missing?.code == .notFound)
    }
}
