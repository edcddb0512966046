@testable import CloudPanelDriver
import DriverKit
import Glibc
import TestSupport
import Testing
import WireProtocol

/// Suspending and resuming, and what the panel may do meanwhile.
@Suite struct SuspensionTests {
    static let file = "etc/nginx/sites-enabled/+innkeeper-suspended-example.com.conf"
    static let host = "etc/nginx/sites-enabled/example.com.conf"

    @Test func `a suspended site is answered before the panel's own configuration, which stays`() async throws {
        let server = try await PanelServer()
        try await server.addStatic()
        let before = server.text(Self.host)
        let outcome = try await server.site("suspend", "example.com")
        #expect(outcome.changed && outcome.observed["suspended"] == true)
        #expect(server.text(Self.host) == before)
        let text = server.text(Self.file)
        for part in [
            "listen 80;", "listen [::]:443 ssl;", "server_name example.com www.example.com;", "return 503",
            "/home/s1/htdocs/example.com; }",
        ] {
            #expect(text.contains(part), "\(part)")
        }
        #expect(server.reloads == 1)
        #expect(try await !server.site("suspend", "example.com").changed)
        #expect(server.reloads == 1)
        #expect(try await server.driver.inventory().first?.state["suspended"] == true)
    }

    @Test func `a resumed site has nothing left of its suspension`() async throws {
        let server = try await PanelServer()
        try await server.addStatic()
        _ = try await server.site("suspend", "example.com")
        let outcome = try await server.site("resume", "example.com")
        #expect(outcome.changed && outcome.observed["suspended"] == false)
        #expect(!server.has(Self.file) && !server.has("etc/nginx/innkeeper-suspended/example.com.key"))
        #expect(server.reloads == 2)
        #expect(try await !server.site("resume", "example.com").changed)
        #expect(server.reloads == 2)
    }

    @Test func `what the panel writes meanwhile is followed, and told once`() async throws {
        let server = try await PanelServer()
        try await server.addStatic()
        _ = try await server.site("suspend", "example.com")
        #expect(await server.driver.lookAround().isEmpty)
        let own = server.text(Self.host)
        try server.folder.write(
            Array(own.split(separator: "www.example.com;").joined(separator: "www.example.com shop.example.com;").utf8),
            to: Self.host)
        #expect(await server.driver.lookAround().map(\.kind) == ["site.suspension_renewed"])
        #expect(server.text(Self.file).contains("shop.example.com"))
        #expect(await server.driver.lookAround().isEmpty)
    }

    @Test func `a new certificate is served by the suspension, too`() async throws {
        let server = try await PanelServer()
        try await server.addStatic()
        _ = try await server.site("suspend", "example.com")
        try await server.clpctl("lets-encrypt:install:certificate", "--domainName=example.com")
        #expect(await server.driver.lookAround().map(\.kind) == ["site.suspension_renewed"])
        let served = server.text("etc/nginx/ssl-certificates/example.com.crt")
        #expect(server.text("etc/nginx/innkeeper-suspended/example.com.crt") == served)
    }

    @Test func `a site that is deleted behind our back takes its suspension with it`() async throws {
        let server = try await PanelServer()
        try await server.addStatic()
        _ = try await server.site("suspend", "example.com")
        try await server.clpctl("site:delete", "--domainName=example.com", "--force")
        #expect(server.has(Self.file))
        // The panel's certificate is gone; nginx must be able to start all the same.
        let check = try await server.nginxAccepts()
        #expect(check)
        #expect(await server.driver.lookAround().map(\.kind) == ["site.suspension_ended"])
        #expect(!server.has(Self.file))
    }

    @Test func `a suspended site can be deleted`() async throws {
        let server = try await PanelServer()
        try await server.addStatic()
        _ = try await server.site("suspend", "example.com")
        #expect(try await server.site("delete", "example.com").changed)
        #expect(!server.has(Self.file) && !server.has("etc/nginx/innkeeper-suspended/example.com.crt"))
    }

    @Test func `a suspension that nginx refuses is taken back`() async throws {
        let server = try await PanelServer()
        try await server.addStatic()
        try server.set(["nginx_error": "unknown directive \"x\""])
        let error = await server.failure { try await server.site("suspend", "example.com") }
        #expect(error?.code == .failed && error?.cause?.contains("unknown directive") == true)
        #expect(!server.has(Self.file))
        try server.set([:])
        #expect(try await server.site("suspend", "example.com").changed)
    }

    @Test func `a suspension that cannot be renewed is told once, and stays`() async throws {
        let server = try await PanelServer()
        try await server.addStatic()
        _ = try await server.site("suspend", "example.com")
        try server.folder.write(Array("server {".utf8), to: Self.host)
        #expect(await server.driver.lookAround().map(\.kind) == ["site.suspension_failed"])
        #expect(await server.driver.lookAround().isEmpty)
        #expect(server.has(Self.file))
    }

    @Test func `a suspension that was written and not told to nginx is told at the next chance`() async throws {
        let server = try await PanelServer()
        try await server.addStatic()
        _ = try await server.site("suspend", "example.com")
        // As it is after the agent died between the two.
        try server.folder.write([], to: "etc/nginx/innkeeper-suspended/example.com.reload")
        #expect(try await server.site("suspend", "example.com").changed)
        #expect(server.reloads == 2)
        #expect(!server.has("etc/nginx/innkeeper-suspended/example.com.reload"))
    }

    @Test func `a resumption that was not told to nginx is told, and does not suspend again`() async throws {
        let server = try await PanelServer()
        try await server.addStatic()
        _ = try await server.site("suspend", "example.com")
        // As it is after the agent died between the removal and nginx's knowing of it.
        try server.folder.write([], to: "etc/nginx/innkeeper-suspended/example.com.reload")
        #expect(unlink("\(server.root)/\(Self.file)") == 0)
        #expect(await server.driver.lookAround().isEmpty)
        #expect(server.reloads == 2)
        #expect(!server.has(Self.file) && !server.has("etc/nginx/innkeeper-suspended/example.com.reload"))
    }

    @Test func `a site that is not there cannot be suspended`() async throws {
        let server = try await PanelServer()
        for operation in ["suspend", "resume"] {
            let error = await server.failure { try await server.site(operation, "example.com") }
            #expect(error?.code == .notFound)
        }
    }
}
