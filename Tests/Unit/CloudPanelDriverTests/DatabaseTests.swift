import DriverKit
import Processes
import TestSupport
import Testing
import WireProtocol

/// Databases: adding, deleting, and what must not be taken over.
@Suite struct DatabaseTests {
    static let password: JSONObject = ["password": "abcDEF123456"]

    private func add(
        _ server: PanelServer, _ name: String = "s1_shop", user: String = "s1_user", _ more: JSONObject = [:],
        secrets: JSONObject = Self.password
    ) async throws -> ActionOutcome {
        var arguments: JSONObject = [
            "domain": "example.com", "database": .string(name), "user": .string(user),
        ]
        for member in more.members { arguments[member.key] = member.value }
        return try await server.perform("database.add", on: "database/\(name)", arguments, secrets: secrets)
    }

    @Test func `a database is added once, listed, and gone after its removal`() async throws {
        let server = try await PanelServer()
        try await server.addStatic()
        let first = try await add(server)
        #expect(first.changed)
        #expect(
            first.observed == ["database": "s1_shop", "users": ["s1_user"], "domain": "example.com"])
        #expect(try await !add(server).changed)
        let list = try await server.perform("database.list", on: "databases", ["domain": "example.com"])
        #expect(list.observed["databases"]?.asArray?.count == 1)
        let none = try await server.perform("database.list", on: "databases", ["domain": "other.org"])
        #expect(none.observed["databases"]?.asArray?.isEmpty == true)
        let gone = try await server.perform("database.delete", on: "database/s1_shop", ["database": "s1_shop"])
        #expect(gone.changed)
        #expect(!server.has("var/lib/mysql/s1_shop"))
        #expect(
            try await !server.perform("database.delete", on: "database/s1_shop", ["database": "s1_shop"]).changed)
    }

    @Test func `somebody else's database is not taken over silently`() async throws {
        let server = try await PanelServer(["foreign_databases": ["s1-shop"]])
        try await server.addStatic()
        let error = await server.failure { try await add(server, "s1-shop") }
        #expect(error?.code == .conflict && error?.message.contains("adopt") == true)
        let error2 = await server.failure {
            try await server.perform("database.delete", on: "database/s1-shop", ["database": "s1-shop"])
        }
        #expect(error2?.code == .conflict)
        #expect(try await add(server, "s1-shop", ["adopt": true]).changed)
    }

    @Test func `another site, another user and a missing site are told apart`() async throws {
        let server = try await PanelServer()
        let missing = await server.failure { try await add(server) }
        #expect(missing?.code == .notFound)
        try await server.addStatic()
        _ = try await add(server)
        let user = await server.failure { try await add(server, user: "other") }
        #expect(user?.code == .conflict)
        let taken = await server.failure { try await add(server, "s1_blog") }
        #expect(taken?.code == .conflict && taken?.message.contains("s1_shop") == true)
        let foreign = await server.failure {
            try await server.perform(
                "database.delete", on: "database/s1_shop", ["database": "s1_shop", "domain": "other.org"])
        }
        #expect(foreign?.code == .conflict)
    }

    @Test func `an attempt that died after the server's part says what it left, and can be taken up`() async throws {
        let server = try await PanelServer(["die": ["db:add": "mysql"]])
        try await server.addStatic()
        let error = await server.failure { try await add(server) }
        #expect(error?.code == .unknownOutcome && error?.changed == true && error?.retryable == true)
        try server.set([:])
        #expect(try await add(server, "s1_shop", ["adopt": true]).changed)
    }

    @Test(arguments: ["root", "mysql", "a;b", "a'b", "-x", "debian-sys-maint", "a b", ""])
    func `the server's own users and odd names are refused`(user: String) async throws {
        let server = try await PanelServer()
        try await server.addStatic()
        let error = await server.failure { try await add(server, user: user) }
        #expect(error?.code == .invalidArgument)
    }

    @Test(arguments: [nil, "short", "with space in it", "quote'12345", "dollar$(id)123"])
    func `a password that a shell could read is refused without being told`(password: String?) async throws {
        let server = try await PanelServer()
        try await server.addStatic()
        let secrets: JSONObject = password.map { ["password": .string($0)] } ?? [:]
        let error = await server.failure { try await add(server, secrets: secrets) }
        #expect(error?.code == .invalidArgument)
        if let password { #expect(error?.description.contains(password) == false) }
    }

    @Test func `without force nothing is deleted, so force is given`() async throws {
        let server = try await PanelServer()
        try await server.addStatic()
        _ = try await add(server)
        let outcome = try await server.clpctl("db:delete", "--databaseName=s1_shop")
        #expect(outcome.stdout.isEmpty)
        #expect(server.has("var/lib/mysql/s1_shop"))
    }
}
