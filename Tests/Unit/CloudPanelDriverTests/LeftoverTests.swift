@testable import CloudPanelDriver
import DriverKit
import Glibc
import Processes
import TestSupport
import Testing
import WireProtocol

/// An addition that died half-way, and others at the panel at the same time.
@Suite struct LeftoverTests {
    @Test(arguments: ["user", "vhost"])
    func `what a killed addition left is cleared, so that the next succeeds`(point: String) async throws {
        let server = try await PanelServer(["die": ["site:add:php": .string(point)]])
        let wish: JSONObject = ["type": "php", "php_version": "8.3", "user": "s1"]
        let error = await server.failure { try await server.site("add", "example.com", wish) }
        #expect(error?.code == .unknownOutcome && error?.retryable == true && error?.changed == false)
        #expect(!server.text("etc/passwd").contains("s1:"))
        for path in ["home/s1", "etc/nginx/sites-enabled/example.com.conf", "etc/php/8.3/fpm/pool.d/example.com.conf"] {
            #expect(!server.has(path), "\(path)")
        }
        try server.set([:])
        #expect(try await server.site("add", "example.com", wish).changed)
    }

    @Test(arguments: ["user", "vhost"])
    func `a cancelled addition is stopped and cleared`(point: String) async throws {
        let server = try await PanelServer(["stand": ["site:add:static": .string(point)]])
        let task = Task { try await server.addStatic() }
        #expect(await eventually { server.has("run/standing") })
        task.cancel()
        let error = await #expect(throws: DriverError.self) { try await task.value }
        #expect(error?.code == .unknownOutcome && error?.message.contains("was stopped") == true)
        #expect(!server.text("etc/passwd").contains("s1:") && !server.has("home/s1"))
    }

    @Test(arguments: ["add", "delete"])
    func `what an addition left when the agent died with it is cleared later`(operation: String) async throws {
        let server = try await PanelServer(["die": ["site:add:static": "vhost"]])
        // As the agent notes it before it calls the tool.
        try server.driver.begun.note("example.com", user: "s1", .add)
        try await server.clpctl(
            "site:add:static", "--domainName=example.com", "--siteUser=s1", "--siteUserPassword=abcdefgh12")
        #expect(server.has("home/s1"))
        try server.set([:])
        let outcome =
            operation == "add"
            ? try await server.addStatic() : try await server.site("delete", "example.com")
        #expect(outcome.changed)
        #expect(server.has("home/s1") == (operation == "add"))
        #expect(!server.has("var/lib/innkeeper/cloudpanel/begun/example.com"))
    }

    @Test func `an account that nobody noted is not ours to remove`() async throws {
        let server = try await PanelServer(["die": ["site:add:static": "vhost"]])
        try await server.clpctl(
            "site:add:static", "--domainName=example.com", "--siteUser=s1", "--siteUserPassword=abcdefgh12")
        try server.set([:])
        let error = await server.failure { try await server.addStatic() }
        #expect(error?.code == .conflict && server.has("home/s1"))
        #expect(try await !server.site("delete", "example.com").changed)
        #expect(server.has("home/s1"))
    }

    @Test func `an account that cannot be removed is told as left over`() async throws {
        let server = try await PanelServer(["die": ["site:add:static": "user"]])
        unlink("\(server.root)/usr/sbin/userdel")
        let error = await server.failure { try await server.addStatic() }
        #expect(error?.code == .unknownOutcome && error?.changed == true)
        #expect(error?.cause?.contains("s1 of the site example.com is left over") == true)
    }

    @Test func `a site whose password was not set yet is finished by the next attempt`() async throws {
        let server = try await PanelServer()
        let program = "\(server.root)/usr/sbin/usermod"
        try #require(rename(program, program + ".away") == 0)
        let error = await server.failure { try await server.addStatic() }
        #expect(error?.code == .failed && error?.changed == true && error?.retryable == true)
        try #require(rename(program + ".away", program) == 0)
        #expect(try await server.addStatic().changed)
        #expect(server.text("etc/shadow.d/s1").hasPrefix("!"))
        #expect(try await !server.addStatic().changed)
    }

    @Test func `a deletion that did not happen leaves the account's password as it is`() async throws {
        let server = try await PanelServer()
        let secrets: JSONObject = ["site_user_password": "abcdefgh12"]
        let arguments: JSONObject = ["domain": "example.com", "type": "static", "user": "s1"]
        _ = try await server.perform("site.add", on: "site/example.com", arguments, secrets: secrets)
        // As it is after the agent died when it was about to delete.
        try server.driver.begun.note("example.com", user: "s1", .delete)
        #expect(try await !server.addStatic().changed)
        #expect(server.text("etc/shadow.d/s1").hasPrefix("hash"))
    }

    @Test func `keys and dumps of an earlier life are cleared at the start`() async throws {
        let server = try await PanelServer()
        let handover = try Handover(in: "\(server.root)/run")
        _ = try handover.add("private.key", "secret")
        try Files.makeFolder("\(server.root)/var/lib/innkeeper/cloudpanel/dumps")
        try server.folder.write([1], to: "var/lib/innkeeper/cloudpanel/dumps/.unfinished-a.sql")
        try server.folder.write([1], to: "var/lib/innkeeper/cloudpanel/dumps/b.sql")
        await server.driver.recover([])
        #expect(try server.names(in: "run").allSatisfy { !$0.hasPrefix("innkeeper-panel-") })
        #expect(try server.names(in: "var/lib/innkeeper/cloudpanel/dumps") == ["b.sql"])
    }

    @Test func `another's clpctl is waited for, and named when it takes too long`() async throws {
        let server = try await PanelServer(["hang": ["site:add:static": 600]], gatePatience: .milliseconds(300))
        let other = Task {
            try await server.clpctl(
                "site:add:static", "--domainName=other.org", "--siteUser=s2", "--siteUserPassword=geheimnis12")
        }
        let callers = PanelPlaces(root: server.root).callers
        #expect(await eventually { PanelCaller.first(of: callers) != nil })
        let error = await server.failure { try await server.addStatic() }
        #expect(error?.code == .busy && error?.retryable == true)
        #expect(error?.message.contains("site:add:static") == true)
        #expect(error?.description.contains("geheimnis") == false)
        other.cancel()
        _ = try await other.value
        try server.set([:])
        #expect(try await server.addStatic().changed)
    }

    @Test func `a tenant's export keeps nobody waiting`() async throws {
        let server = try await PanelServer(["hang": ["db:export": 600]], gatePatience: .milliseconds(300))
        let tenant = Task { try await server.clpctl("db:export", "--databaseName=x", "--file=/dev/null") }
        #expect(try await server.addStatic().changed)
        tenant.cancel()
        _ = try await tenant.value
    }

    @Test func `two agents take turns`() async throws {
        let server = try await PanelServer()
        let gate = PanelGate(places: PanelPlaces(root: server.root), patience: .seconds(60))
        let near = PanelGate(places: PanelPlaces(root: server.root), patience: .milliseconds(100))
        try await gate.pass { () throws(DriverError) in
            let refused: Result<Void, DriverError>
            do throws(DriverError) {
                refused = .success(try await near.pass { () throws(DriverError) in })
            } catch { refused = .failure(error) }
            guard case .failure(let error) = refused else {
                Issue.record("two were in at once")
                return
            }
            #expect(error.code == .busy)
        }
        try await near.pass { () throws(DriverError) in }
    }
}
