import Model
import Store

/// Where messages of a webhook may go: to HTTPS on the public Internet, to private networks where the operator says so, and without
/// TLS to this machine alone.
struct WebhookTarget: Sendable, Hashable {
    let url: String
    let host: String
    let reach: OutboundRequest.Reach

    init(_ url: String, allowsPrivate: Bool) throws(CoreError) {
        func invalid(_ problem: String) -> CoreError { .invalid(field: "url", problem: problem) }
        guard (1...2048).contains(url.utf8.count), url.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw invalid("must be 1 to 2048 characters of ASCII without spaces")
        }
        let lower = url.lowercased()
        guard let scheme = ["https://", "http://"].first(where: lower.hasPrefix) else {
            throw invalid("must begin with https://")
        }
        let rest = url.dropFirst(scheme.count)
        let authority = rest.prefix { !"/?#".contains($0) }
        guard !authority.contains("@"), !authority.contains("\\"), !url.contains("#") else {
            throw invalid("must hold neither a user name nor a fragment")
        }
        let host = Self.host(authority)
        guard !host.isEmpty else { throw invalid("must name a host") }
        let isHere = ["127.0.0.1", "[::1]", "localhost"].contains(host)
        if scheme == "http://" {
            guard isHere, allowsPrivate else {
                throw invalid("must begin with https://; only on this machine, and with allow_private, http:// does")
            }
            reach = .loopback
        } else {
            reach = allowsPrivate ? .anywhere : .publicInternet
        }
        (self.url, self.host) = (url, host)
    }

    private static func host(_ authority: Substring) -> String {
        if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") { return String(authority[...end]) }
        return authority.prefix { $0 != ":" }.lowercased()
    }
}
