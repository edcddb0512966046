import CloudPanelDriver
import DriverKit
import Processes
import TestSupport
import Testing
import WireProtocol

/// Adding, deleting and looking at sites.
@Suite struct SiteTests {
    static let kinds: [JSONObject] = [
        ["type": "static"], ["type": "php", "php_version": "8.3"],
        ["type": "php", "php_version": "8.4", "vhost_template": "Laravel 11"],
        ["type": "nodejs", "nodejs_version": "22", "app_port": 3000],
        ["type": "python", "python_version": "3.12", "app_port": 8000],
        ["type": "reverse-proxy", "reverse_proxy_url": "http://127.0.0.1:8080"],
    ]

    @Test(arguments: kinds)
    func `a site of each kind is added once and found as it is`(kind: JSONObject) async throws {
        let server = try await PanelServer()
        var wish = kind
        wish["user"] = "s1"
        let first = try await server.site("add", "example.com", wish)
        #expect(first.changed)
        #expect(first.observed["type"] == kind["type"])
        #expect(first.observed["user"] == "s1")
        #expect(first.observed["certificate"]?.asObject?["kind"] == "self-signed")
        let second = try await server.site("add", "example.com", wish)
        #expect(!second.changed)
        #expect(second.observed == first.observed)
        let shown = try await server.site("show", "example.com")
        #expect(shown.observed == first.observed)
        #expect(try await server.driver.inventory().map(\.resource) == ["cloudpanel/site/example.com"])
    }

    @Test func `a site that is there and another is a conflict that says how`() async throws {
        let server = try await PanelServer()
        try await server.addStatic()
        let other = await server.failure { try await server.addStatic(user: "s2") }
        #expect(other?.code == .conflict && other?.message.contains("belongs to s1") == true)
        let php = await server.failure {
            try await server.site("add", "example.com", ["type": "php", "php_version": "8.3", "user": "s1"])
        }
        #expect(php?.code == .conflict && php?.message.contains("type static") == true)
        let taken = await server.failure { try await server.addStatic("other.org", user: "s1") }
        #expect(taken?.code == .conflict && taken?.message.contains("example.com") == true)
        let system = await server.failure { try await server.addStatic("other.org", user: "clp") }
        #expect(system?.code == .conflict && system?.message.contains("no site's") == true)
    }

    @Test func `a deleted site leaves nothing, and deleting it again changes nothing`() async throws {
        let server = try await PanelServer()
        try await server.addStatic()
        #expect(server.has("home/s1/htdocs/example.com"))
        let outcome = try await server.site("delete", "example.com")
        #expect(outcome.changed && outcome.observed["present"] == false)
        for path in ["home/s1", "etc/nginx/sites-enabled/example.com.conf", "etc/logrotate.d/s1"] {
            #expect(!server.has(path), "\(path)")
        }
        #expect(!server.text("etc/passwd").contains("s1:"))
        #expect(try await !server.site("delete", "example.com").changed)
        let missing = await server.failure { try await server.site("show", "example.com") }
        #expect(missing?.code == .notFound)
    }

    @Test func `a site is deleted only for the user that it belongs to`() async throws {
        let server = try await PanelServer()
        try await server.addStatic()
        let error = await server.failure { try await server.site("delete", "example.com", ["user": "s2"]) }
        #expect(error?.code == .conflict)
        #expect(server.has("home/s1"))
        #expect(try await server.site("delete", "example.com", ["user": "s1"]).changed)
    }

    @Test func `without force the tool deletes nothing and says nothing of it`() async throws {
        let server = try await PanelServer()
        try await server.addStatic()
        let outcome = try await server.clpctl("site:delete", "--domainName=example.com")
        #expect(outcome.succeeded && outcome.stdout.isEmpty)
        #expect(server.has("home/s1"))
    }

    @Test func `two PHP sites added at once get different ports`() async throws {
        let server = try await PanelServer(["pace": 0.05])
        async let first = server.site("add", "a.org", ["type": "php", "php_version": "8.3", "user": "s1"])
        async let second = server.site("add", "b.org", ["type": "php", "php_version": "8.3", "user": "s2"])
        let (one, other) = try await (first.observed["port"], second.observed["port"])
        #expect(one != nil && other != nil && one != other)
    }

    static let wrong: [(String, JSONObject)] = [
        ("-x.com", ["type": "static", "user": "s1"]), ("a_b.com", ["type": "static", "user": "s1"]),
        ("EXAMPLE.com", ["type": "static", "user": "s1"]), ("example.com;reboot", ["type": "static", "user": "s1"]),
        ("example", ["type": "static", "user": "s1"]), ("1.2.3.4", ["type": "static", "user": "s1"]),
        ("a.com", ["type": "static", "user": "-s"]), ("a.com", ["type": "static", "user": "root$(id)"]),
        ("a.com", ["type": "static", "user": "s1", "php_version": "8.3"]),
        ("a.com", ["type": "php", "user": "s1", "php_version": "8"]),
        ("a.com", ["type": "php", "user": "s1", "php_version": "8.3", "vhost_template": "a`id`"]),
        ("a.com", ["type": "nodejs", "user": "s1", "nodejs_version": "22", "app_port": 80]),
        ("a.com", ["type": "reverse-proxy", "user": "s1", "reverse_proxy_url": "http://h:80/;}"]),
        ("a.com", ["type": "reverse-proxy", "user": "s1", "reverse_proxy_url": "ftp://127.0.0.1:80"]),
        ("a.com", ["type": "perl", "user": "s1"]), ("a.com", ["user": "s1"]),
    ]

    @Test(arguments: wrong)
    func `what the tool's shell or nginx could read in another way is refused first`(
        domain: String, arguments: JSONObject
    ) async throws {
        let server = try await PanelServer()
        let error = await server.failure { try await server.site("add", domain, arguments) }
        #expect(error?.code == .invalidArgument)
        #expect(try await server.driver.inventory().isEmpty)
    }

    @Test func `a call works only on the site that its resource names`() async throws {
        let server = try await PanelServer()
        let error = await server.failure {
            try await server.perform(
                "site.add", on: "site/b.org", ["domain": "a.org", "type": "static", "user": "s1"])
        }
        #expect(error?.code == .invalidArgument)
    }
}
