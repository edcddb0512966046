/// A record in a zone. A service has at most one of a type under a name.
package struct DNSRecord: ManagedObject {
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        case a = "A", aaaa = "AAAA", cname = "CNAME", txt = "TXT"
    }

    package static let noun = "DNS record"
    package var type: Kind
    /// The full name in lower case, IDN as punycode.
    package var host: String
    /// An address, a full name without a dot at the end, or a text without quotes.
    package var value: String
    /// Seconds.
    package var ttl: Int64
    package var name: String { Self.name(type, host) }

    package init(type: Kind, host: String, value: String, ttl: Int64 = 60) {
        (self.type, self.host, self.value, self.ttl) = (type, host, value, ttl)
    }

    package static func name(_ type: Kind, _ host: String) -> String { "\(type.rawValue) \(host)" }

    /// Type and host of a name as `name` makes it.
    package static func parts(of name: String) -> (type: Kind, host: String)? {
        let parts = name.split(separator: " ")
        guard parts.count == 2, let type = Kind(rawValue: String(parts[0])) else { return nil }
        return (type, String(parts[1]))
    }
}

/// A zone of a domain that a name server of ours answers for.
package struct DNSZone: ManagedObject {
    package static let noun = "DNS zone"
    /// Without a dot at the end.
    package var domain: String
    /// As found: whether it is active, and has its name servers. What is wished is always true.
    package var isServed = true
    package var name: String { domain }

    package init(domain: String) { self.domain = domain }
}

/// What a reverse proxy does with the names of a site.
package struct ProxyRoute: ManagedObject {
    /// How it answers over HTTPS, with the certificate that there is for exactly these domains.
    package struct TLS: Sendable, Hashable {
        /// Whether plain HTTP is sent on to HTTPS.
        package var isForced: Bool
        package var http2: Bool

        package init(isForced: Bool = true, http2: Bool = true) { (self.isForced, self.http2) = (isForced, http2) }
    }

    package static let noun = "proxy route"
    /// In lower case, IDN as punycode, sorted; the first one names the route.
    package var domains: [String]
    package var target: ProxyTarget
    package var caching: Bool
    package var webSockets: Bool
    /// Nil answers over plain HTTP only.
    package var tls: TLS?
    /// As found: whether the proxy has really taken it up. What is wished is always true.
    package var isServed = true
    package var name: String { domains.first ?? "" }

    package init(
        domains: [String], target: ProxyTarget, caching: Bool = true, webSockets: Bool = true, tls: TLS? = nil
    ) {
        self.domains = domains.sorted()
        (self.target, self.caching, self.webSockets, self.tls) = (target, caching, webSockets, tls)
    }
}

/// Where a proxy sends requests to.
package struct ProxyTarget: Sendable, Hashable, CustomStringConvertible {
    package var isTLS: Bool
    /// An address or a name.
    package var host: String
    package var port: Int64

    package init(isTLS: Bool = false, host: String, port: Int64) {
        (self.isTLS, self.host, self.port) = (isTLS, host, port)
    }

    package var description: String {
        "\(isTLS ? "https" : "http")://\(host.contains(":") ? "[\(host)]" : host):\(port)"
    }
}

/// A thing in a hosting panel: a client, a site, a database, a mailbox.
package struct PanelObject: ManagedObject {
    package static let noun = "panel object"
    /// The panel's own word for the sort.
    package var kind: String
    package var title: String
    package var fields: [String: String]
    package var name: String { "\(kind) \(title)" }

    package init(kind: String, title: String, fields: [String: String] = [:]) {
        (self.kind, self.title, self.fields) = (kind, title, fields)
    }
}

/// A site whose visits are counted.
package struct AnalyticsSite: ManagedObject {
    package static let noun = "analytics site"
    package var domain: String
    /// Given by the one who counts; nil while it is only asked for.
    package var id: String?
    package var name: String { domain }

    package init(domain: String, id: String? = nil) { (self.domain, self.id) = (domain, id) }
}
