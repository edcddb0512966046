import DriverKit
import Testing
import WireProtocol

@testable import SwagDriver

/// Samples of apps with several locations, ports and servers.
@Suite struct SampleTests {
    static func location(_ path: String, app: String = "app", port: Int = 80, transport: String = "http") -> String {
        """
            location \(path) {
                include /config/nginx/proxy.conf;
                set $upstream_app \(app); set $upstream_port \(port);
                #set $upstream_port 1;
                set $upstream_proto \(transport);
                proxy_pass $upstream_proto://$upstream_app:$upstream_port;
            }

        """
    }

    static func sample(_ locations: String..., name: String = "app.*") -> String {
        "## Version 2025/07/18\nserver {\n    listen 443 ssl;\n    server_name \(name);\n\(locations.joined())}\n"
    }

    static func made(_ sample: String) throws -> String {
        let order = ProxySite.order("app1", ["one.example.org", "two.example.org"], ["protocol": "https"])
        let call = ActionCall(action: "config.generate", resource: "swag", arguments: order)
        let spec = ActionSpec("config.generate", .observe, summary: "").taking(ProxySpec.arguments)
        var reader = ArgumentReader(try spec.reading(call).arguments)
        return try ProxySpec(&reader).text(from: Array(sample.utf8))
    }

    /// What the driver tells of a file.
    static func summary(_ text: String) -> JSONObject {
        SwagDriver.summary(ProxyFile("app1.subdomain.conf")!, Array(text.utf8))
    }

    @Test func `only the port of the site's own location is exchanged`() throws {
        let text = try Self.made(
            Self.sample(
                Self.location("~ (/app)?/rpc", port: 6800), Self.location("/"), Self.location("/api"),
                Self.location("/secure", port: 80, transport: "https")))
        let order = ProxySite.order("app1", [])
        let port = order["port"]?.asInteger ?? 0
        let values = NginxText(Array(text.utf8)).statements.filter { $0.first == "set" }.map { $0[2] }
        #expect(
            values == [
                "192.0.2.10", "6800", "http", "192.0.2.10", "\(port)", "https", "192.0.2.10", "\(port)", "https",
                "192.0.2.10", "80", "https",
            ])
        #expect(text.contains("    server_name one.example.org two.example.org;\n"))
        #expect(text.contains("#set $upstream_port 1;") && text.contains("## Version 2025/07/18"))
        #expect(Self.summary(text)["port"] == .integer(port) && Self.summary(text)["upstream"] == "192.0.2.10")
    }

    @Test(arguments: [
        (sample(location("/")) + sample(location("/"), name: "admin.*"), "2 servers"),
        (sample(location("/dns-query", transport: "grpc")), "no location /"),
        (sample(location("/", transport: "grpc")), "grpc"),
        (sample(location("/"), location("/db", app: "db")), "second app"),
        (sample(location("/"), location("= /")) + "}", "no file"),
        (sample(location("/"), "set $upstream_port 5;"), "none are expected"),
        (sample(location("/"), "location /x { set $upstream_app app; }"), "none are expected"),
        (sample(location("/"), "if ($x) { set $upstream_port 5; }"), "none are expected"),
        (sample(location("/"), location("/")), "no location /"),
        (sample(location("/"), "server_name b.*;"), "server_name"),
        ("server { server_name 'open; }", "no file"), ("", "0 servers"),
    ])
    func `a sample that does not say which upstream is the site's is refused`(sample: String, word: String) throws {
        let error = #expect(throws: DriverError.self) { try Self.made(sample) }
        #expect(error?.code == .unsupported && error?.message.contains(word) == true, "\(String(describing: error))")
    }

    @Test func `of several ports without an own location none is told`() {
        let text = Self.sample(Self.location("/a", port: 1), Self.location("/b", port: 2))
        #expect(Self.summary(text)["port"] == nil && Self.summary(text)["upstream"] == "app")
    }

    @Test func `a tree has words where they stand, whatever quotes and comments are between`() throws {
        let text = #"a 'b;{' "c\"d" ${e} # ; } {"# + "\n;x { y z; }"
        let tree = try #require(NginxTree(Array(text.utf8)))
        #expect(tree.statements.map(\.words) == [["a", "b;{", "c\"d", "${e}"], ["y", "z"]])
        #expect(tree.blocks.map(\.words) == [[], ["x"]] && tree.statements[1].block == 1)
        let places = tree.statements[0].places.map { String(decoding: Array(text.utf8)[$0], as: UTF8.self) }
        #expect(places == ["a", "'b;{'", #""c\"d""#, "${e}"])
        for broken in ["}", "a", "a {", "a { b }", ";", "'a"] { #expect(NginxTree(Array(broken.utf8)) == nil) }
    }

    @Test func `a name with a dot in front stands for the name itself, too`() {
        #expect(NginxText.names([".example.org"], have: "example.org"))
        #expect(NginxText.names(["example.org"], have: ".example.org"))
        #expect(!NginxText.names([".example.org"], have: "shop.example.org"))
    }
}
