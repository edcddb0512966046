@testable import CloudPanelDriver
import DriverKit
import Glibc
import Processes
import TestSupport
import Testing
import WireProtocol

/// What a real nginx makes of a suspension: who answers, and how.
@Suite struct RealNginxTests {
    static let isHere = access("/usr/sbin/nginx", X_OK) == 0

    @Test(.enabled(if: isHere, "nginx is not installed"))
    func `a suspended site is answered with 503, the others and its certificate's proof as ever`() async throws {
        let server = try await PanelServer()
        try await server.addStatic()
        try await server.addStatic("other.org", user: "s2")
        let nginx = try await Nginx(server, sites: ["example.com": "s1", "other.org": "s2"])
        defer { nginx.stop() }
        #expect(try await eventually { try await nginx.ask("example.com") == "200 own page of example.com" })
        _ = try await server.site("suspend", "example.com")
        #expect(try await eventually { try await nginx.ask("example.com") == "503 This site is suspended." })
        #expect(try await eventually { try await nginx.ask("www.example.com") == "503 This site is suspended." })
        #expect(try await eventually { try await nginx.ask("example.com", tls: true) == "503 This site is suspended." })
        #expect(try await eventually { try await nginx.ask("other.org") == "200 own page of other.org" })
        #expect(
            try await eventually {
                try await nginx.ask("example.com", path: "/.well-known/acme-challenge/token") == "200 proof"
            })

        // The panel saves the site with one name more, and tells nginx.
        try nginx.write("example.com", user: "s1", names: "example.com www.example.com shop.example.com")
        try await nginx.reload()
        #expect(try await eventually { try await nginx.ask("shop.example.com") == "200 own page of example.com" })
        #expect(try await nginx.ask("example.com") == "503 This site is suspended.")
        _ = await server.driver.lookAround()
        #expect(try await eventually { try await nginx.ask("shop.example.com") == "503 This site is suspended." })

        _ = try await server.site("resume", "example.com")
        #expect(try await eventually { try await nginx.ask("shop.example.com") == "200 own page of example.com" })
    }

    @Test(.enabled(if: isHere, "nginx is not installed"))
    func `further names are answered as the site is, until they are taken away`() async throws {
        let server = try await PanelServer()
        // The first one answers unknown names: it must not be the one with the alias.
        try await server.addStatic()
        try await server.addStatic("other.org", user: "s2")
        let nginx = try await Nginx(server, sites: ["example.com": "s1", "other.org": "s2"])
        defer { nginx.stop() }
        let (own, first) = ("200 own page of other.org", "200 own page of example.com")
        #expect(try await eventually { try await nginx.ask("shop.example.net") == first })
        let names: JSONObject = ["names": ["shop.example.net", "www.shop.example.net"]]
        #expect(try await server.site("aliases", "other.org", names).changed)
        #expect(try await !server.site("aliases", "other.org", names).changed)
        #expect(try await eventually { try await nginx.ask("shop.example.net") == own })
        #expect(try await eventually { try await nginx.ask("www.shop.example.net", tls: true) == own })
        #expect(try await nginx.ask("example.com") == first)
        // A suspension covers them, and what the panel writes is followed.
        _ = try await server.site("suspend", "other.org")
        #expect(try await eventually { try await nginx.ask("shop.example.net") == "503 This site is suspended." })
        _ = try await server.site("resume", "other.org")
        #expect(try await eventually { try await nginx.ask("shop.example.net") == own })
        #expect(await server.driver.lookAround().isEmpty)
        let taken = await server.failure { try await server.site("aliases", "other.org", ["names": ["example.com"]]) }
        #expect(taken?.code == .conflict)
        let twice = await server.failure {
            try await server.site("aliases", "example.com", ["names": ["shop.example.net"]])
        }
        #expect(twice?.code == .conflict)
        #expect(try await server.site("aliases", "other.org", ["names": []]).changed)
        #expect(try await eventually { try await nginx.ask("shop.example.net") == first })
        // With its site the file goes, too: nginx would refuse it without the certificate.
        _ = try await server.site("aliases", "other.org", names)
        _ = try await server.site("delete", "other.org")
        #expect(!server.has("etc/nginx/sites-enabled/~innkeeper-aliases-other.org.conf"))
        #expect(try await server.nginxAccepts())
    }
}

/// A real nginx before the emulated panel's sites, in the folder of the test.
private final class Nginx: Sendable {
    private let server: PanelServer
    private let plain: Int
    private let secure: Int

    init(_ server: PanelServer, sites: [String: String]) async throws {
        self.server = server
        // Two free ports, held until both are known.
        (plain, secure) = (Int(try freePort()), Int(try freePort()))
        let root = server.root
        let text = """
            pid \(root)/run/nginx.pid; error_log \(root)/run/nginx.log; daemon on; user root; worker_processes 1;
            events { worker_connections 64; }
            http {
              access_log off; default_type text/plain; root \(root)/nowhere;
              client_body_temp_path \(root)/run/body; proxy_temp_path \(root)/run/proxy; fastcgi_temp_path \(root)/run/fcgi;
              uwsgi_temp_path \(root)/run/uwsgi; scgi_temp_path \(root)/run/scgi;
              include \(root)/etc/nginx/sites-enabled/*.conf;
            }

            """
        try server.folder.write(Array(text.utf8), to: "etc/nginx/nginx.conf")
        for (domain, user) in sites {
            try write(domain, user: user, names: "\(domain) www.\(domain)")
            let folder = "home/\(user)/htdocs/\(domain)"
            try server.folder.write(Array("own page of \(domain)\n".utf8), to: "\(folder)/index.html")
            for part in ["/.well-known", "/.well-known/acme-challenge"] { mkdir("\(root)/\(folder)\(part)", 0o755) }
            try server.folder.write(Array("proof\n".utf8), to: "\(folder)/.well-known/acme-challenge/token")
        }
        // nginx's workers are not this test's owner.
        _ = try await Child.run(ProcessRequest("chmod", ["-R", "a+rX", root]))
        unlink("\(root)/usr/sbin/nginx")
        let script = "#!/bin/sh\nexec /usr/sbin/nginx -c \(root)/etc/nginx/nginx.conf \"$@\"\n"
        try server.folder.write(Array(script.utf8), to: "usr/sbin/nginx")
        chmod("\(root)/usr/sbin/nginx", 0o755)
        let outcome = try await Child.run(ProcessRequest("\(root)/usr/sbin/nginx", [], deadline: .seconds(60)))
        try #require(outcome.succeeded, "\(outcome.errorText)")
    }

    /// As the panel writes a site, on ports of the test.
    func write(_ domain: String, user: String, names: String) throws {
        let root = server.root
        let text = """
            server {
              listen 127.0.0.1:\(plain);
              listen 127.0.0.1:\(secure) ssl;
              server_name \(names);
              ssl_certificate \(root)/etc/nginx/ssl-certificates/\(domain).crt;
              ssl_certificate_key \(root)/etc/nginx/ssl-certificates/\(domain).key;
              root \(root)/home/\(user)/htdocs/\(domain);
              index index.html;
            }

            """
        try server.folder.write(Array(text.utf8), to: "etc/nginx/sites-enabled/\(domain).conf")
    }

    func reload() async throws {
        let outcome = try await Child.run(
            ProcessRequest("\(server.root)/usr/sbin/nginx", ["-s", "reload"], deadline: .seconds(60)))
        try #require(outcome.succeeded, "\(outcome.errorText)")
    }

    /// Status and text of an answer.
    func ask(_ host: String, path: String = "/", tls: Bool = false) async throws -> String {
        let port = tls ? secure : plain
        let words = [
            "-sk", "--noproxy", "*", "--max-time", "30", "--resolve", "\(host):\(port):127.0.0.1", "-w",
            "%{stderr}%{http_code}",
            "http\(tls ? "s" : "")://\(host):\(port)\(path)",
        ]
        let outcome = try await Child.run(ProcessRequest("curl", words, deadline: .seconds(60)))
        return "\(outcome.errorText) \(outcome.outputText)".split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    func stop() {
        let text = server.text("run/nginx.pid")
        if let pid = pid_t(text.split(whereSeparator: \.isWhitespace).first ?? "") { kill(pid, SIGTERM) }
    }
}
