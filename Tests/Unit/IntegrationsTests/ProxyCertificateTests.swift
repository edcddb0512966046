import ControllerCore
import Model
import Processes
import StandIns
import TestSupport
import Testing
import WireProtocol

@testable import NginxProxyManagerIntegration

/// Certificates, and pages through a real nginx.
@Suite struct `Nginx Proxy Manager's certificates` {
    private typealias Routes = `Nginx Proxy Manager's routes`
    private let names = ["www.example.org", "example.org"]

    private func certificates(_ outside: StandIns) async throws -> [JSONValue] {
        try await outside.state(.npm)["certificates"]?.asArray ?? []
    }

    @Test func `one is made for the same names however often it is asked for`() async throws {
        try await Routes.with { outside, proxy in
            #expect(try await proxy.certificates.find(names) == nil)
            let made = try await proxy.certificates.obtain(names, .http01)
            #expect(made.domains == names.sorted() && made.expires != nil)
            #expect(try await proxy.certificates.obtain(names.reversed(), .http01) == made)
            #expect(try await proxy.certificates.find(names) == made)
            try await proxy.certificates.remove(names)
            try await proxy.certificates.remove(names)
            #expect(try await outside.state(.npm)["orders"] == 1)
            #expect(try await certificates(outside).isEmpty)
        }
    }

    @Test func `certbot is given one at a time`() async throws {
        try await Routes.with { outside, proxy in
            try await withThrowingTaskGroup { group in
                for number in 1...5 {
                    group.addTask { _ = try await proxy.certificates.obtain(["s\(number).example.org"], .http01) }
                }
                try await group.waitForAll()
            }
            #expect(try await certificates(outside).count == 5)
        }
    }

    @Test(arguments: [LostAnswer.lost, .cut, .failed_after])
    func `an answer that is lost orders none a second time`(_ fault: LostAnswer) async throws {
        try await Routes.with { outside, proxy in
            try await outside.fault(.npm, ["on": "POST /api/nginx/cert", "kind": .string(fault.rawValue)])
            _ = try await proxy.certificates.obtain(names, .http01)
            #expect(try await outside.state(.npm)["orders"] == 1)
        }
    }

    @Test func `a failure is told with its reason and not tried again, since the authority counts`() async throws {
        try await Routes.with { outside, proxy in
            try await outside.change(
                .npm, ["certbot_error": "  Detail: 192.0.2.1: Invalid response from http://www.example.org"])
            let error = await portError { () throws(PortError) in
                _ = try await proxy.certificates.obtain(names, .http01)
            }
            #expect(error?.message.contains("Invalid response") == true)
            #expect(try await outside.state(.npm)["orders"] == 1)
        }
    }

    @Test func `the DNS challenge takes the proxy's own credentials, and no answer shows them`() async throws {
        let more: JSONObject = [
            "dns_provider": "cloudflare", "dns_credentials": "dns_cloudflare_api_token=planted-1729",
            "propagation_seconds": 5,
        ]
        try await Routes.with(QuickClock(), more) { outside, proxy in
            #expect(proxy.challenges == [.http01, .dns01])
            _ = try await proxy.certificates.obtain(names, .dns01)
            #expect(try await certificates(outside).first?["meta"]?["propagation_seconds"] == 5)
            try await outside.fault(.npm, ["on": "POST /api/nginx", "kind": "status", "status": 400])
            let error = await portError { () throws(PortError) in
                _ = try await proxy.certificates.obtain(["other.example.org"], .dns01)
            }
            #expect(error?.kind == .refused && error?.message.contains("1729") == false)
        }
        try await Routes.with { _, proxy in
            #expect(proxy.challenges == [.http01])
            let error = await portError { () throws(PortError) in _ = try await proxy.certificates.obtain(names, .dns01)
            }
            #expect(error?.kind == .refused)
        }
    }

    @Test func `one that is in use or somebody else's stays`() async throws {
        try await Routes.with { outside, proxy in
            try await outside.change(.npm, ["certificate": ["domain_names": ["foreign.example.org"]]])
            #expect(try await proxy.certificates.find(["foreign.example.org"]) == nil)
            try await proxy.certificates.remove(["foreign.example.org"])
            var route = ProxyRoute(
                domains: names, target: ProxyTarget(host: "192.0.2.7", port: 80), tls: ProxyRoute.TLS())
            let early = await portError { () throws(PortError) in try await proxy.routes.put(route, "svc_1") }
            #expect(early?.kind == .refused && early?.message.contains("no certificate") == true)
            _ = try await proxy.certificates.obtain(names, .http01)
            try await proxy.routes.put(route, "svc_1")
            #expect(try await proxy.routes.find("example.org", "svc_1")?.thing == route)
            #expect(
                await portError { () throws(PortError) in try await proxy.certificates.remove(names) }?.kind == .busy)
            #expect(try await certificates(outside).count == 2)
            route.tls = nil
            try await proxy.routes.put(route, "svc_1")
            #expect(try await proxy.routes.find("example.org", "svc_1")?.thing == route)
            try await proxy.certificates.remove(names)
            #expect(try await certificates(outside).count == 1)
        }
    }

    /// A page that is really proxied: plain HTTP is sent on, HTTPS answers with the route's certificate.
    @Test func `a page comes through the proxy, with a certificate for its name`() async throws {
        try await StandIns.with(proxy: true) { outside in
            let proxy = try #require(try NginxProxyManager.kind.connected(Routes.settings(outside)).proxy)
            // What is behind it: any HTTP server, here the control of the stand-ins, which has no such page.
            let target = ProxyTarget(host: "127.0.0.1", port: Int64(outside.port(.control)))
            var route = ProxyRoute(domains: ["shop.example.org"], target: target)
            try await proxy.routes.put(route, "svc_1")
            func page(_ scheme: String, _ port: Int) async throws -> String {
                let outcome = try await Child.run(
                    ProcessRequest(
                        "curl",
                        [
                            "-s", "-m", "20", "--retry", "5", "--retry-all-errors", "--cacert",
                            outside.folder.file("authority.pem"), "--resolve",
                            "shop.example.org:\(port):127.0.0.1", "-w", " %{http_code} %{redirect_url} %{http_version}",
                            "\(scheme)://shop.example.org:\(port)/dns",
                        ], deadline: .seconds(120)))
                return String(decoding: outcome.stdout, as: UTF8.self)
            }
            // nginx takes up what it is told in its own time, and goes on as before until then.
            func seen(_ scheme: String, _ port: Int, _ isRight: (String) -> Bool) async throws -> String {
                var text = ""
                for _ in 0..<100 {
                    text = try await page(scheme, port)
                    if isRight(text) { break }
                    try await Task.sleep(for: .milliseconds(200))
                }
                return text
            }
            let open = try await seen("http", outside.port(.http)) { $0.contains("\"violations\": []") }
            #expect(open.contains("\"violations\": []"), "\(open)")
            _ = try await proxy.certificates.obtain(route.domains, .http01)
            route.tls = ProxyRoute.TLS()
            try await proxy.routes.put(route, "svc_1")
            let secure = try await seen("https", outside.port(.https)) { $0.hasSuffix(" 200  2") }
            #expect(secure.contains("\"violations\": []") && secure.hasSuffix(" 200  2"), "\(secure)")
            let plain = try await seen("http", outside.port(.http)) { $0.contains(" 301 https://shop.example.org/dns") }
            #expect(plain.contains(" 301 https://shop.example.org/dns"), "\(plain)")
            // A target that nginx refuses does not stay, and the others go on.
            let bad = ProxyRoute(
                domains: ["bad.example.org"], target: ProxyTarget(host: "no-such-host.example.invalid", port: 80))
            let error = await portError { () throws(PortError) in try await proxy.routes.put(bad, "svc_2") }
            #expect(error?.kind == .refused && error?.message.contains("host not found") == true)
            let still = try await seen("https", outside.port(.https)) { $0.contains("\"violations\": []") }
            #expect(still.contains("\"violations\": []"), "\(still)")
            #expect(try await outside.violations(.npm) == [])
        }
    }
}
