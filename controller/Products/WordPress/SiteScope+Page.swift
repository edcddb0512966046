import ControllerCore
import Saga
import WireProtocol

/// What a visitor sees.
extension SiteScope {
    /// Asks the public name, as a visitor would: it must lead to the proxy, be sent on from plain HTTP to HTTPS, and there, under a
    /// certificate that is believed, WordPress itself must say that the site's address is its own. Another site's page, an installer's
    /// or a proxy's own cannot say that.
    ///
    /// Each address is asked by itself, and none but the proxy's: where a customer's name leads a moment later is the customer's to say.
    func checkPage(of site: SiteName, home: String) async throws(StepFailure) {
        let all = try await publicAddresses(site)
        if let reason = try await objectionToRoute(of: [site.host], at: all) { throw Self.unready(site.host, reason) }
        // A controller without a way to IPv6 could only ask the others.
        let old = all.filter { !$0.contains(":") }
        for address in old.isEmpty ? all : old { try await checkPage(of: site.host, at: address, home: home) }
    }

    private func checkPage(of host: String, at address: String, home: String) async throws(StepFailure) {
        let plain = try await fetch("http://\(host)/", address)
        let place = plain.header("location") ?? ""
        guard [301, 302, 307, 308].contains(plain.status), place.hasPrefix("https://\(host)/") else {
            throw Self.unready(host, "plain HTTP is answered with \(plain.status), and is not sent on to HTTPS")
        }
        let page = try await fetch("https://\(host)/?rest_route=/", address)
        guard page.status == 200 else { throw Self.unready(host, "HTTPS is answered with \(page.status)") }
        let said = (try? JSONParser.parse(page.body, limits: JSONLimits(bytes: 4 << 20)))?["home"]?.asString
        guard let said else { throw Self.unready(host, "what answers is no WordPress") }
        guard said == home || said == "\(home)/" else {
            throw Self.unready(host, "what answers is another site, \(said.prefix(100))")
        }
    }

    private func fetch(_ url: String, _ address: String) async throws(StepFailure) -> OutboundReply {
        let request = OutboundRequest("GET", url, peer: address)
        do throws(PortError) { return try await dependencies.ports.web.send(request) } catch {
            // Asking again is harmless, whatever became of the question. A certificate may be a moment late, too.
            throw StepFailure(
                error.kind == .notSetUp ? .final : .retryable, code: error.kind.rawValue, message: error.message,
                resource: url, effect: .none)
        }
    }

    private static func unready(_ host: String, _ reason: String) -> StepFailure {
        StepFailure(
            .retryable, code: "not_served", message: "https://\(host) does not show the site yet: \(reason)",
            resource: host, effect: .none)
    }
}

extension OutboundReply {
    fileprivate func header(_ name: String) -> String? { headers.first { $0.key.lowercased() == name }?.value }
}
