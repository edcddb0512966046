/// A record in the zone of a domain of ours.
package struct DNSRecord: ManagedObject {
    package static let noun = "DNS record"
    /// `A`, `AAAA`, `CNAME`, `TXT`.
    package var type: String
    package var host: String
    package var value: String
    /// Seconds.
    package var ttl: Int64
    package var name: String { "\(type) \(host)" }

    package init(type: String, host: String, value: String, ttl: Int64 = 300) {
        (self.type, self.host, self.value, self.ttl) = (type, host, value, ttl)
    }
}

/// What a reverse proxy does with a domain.
package struct ProxyRoute: ManagedObject {
    package static let noun = "proxy route"
    package var domain: String
    /// `http://192.0.2.7:8080`.
    package var target: String
    package var forcesTLS: Bool
    package var name: String { domain }

    package init(domain: String, target: String, forcesTLS: Bool = true) {
        (self.domain, self.target, self.forcesTLS) = (domain, target, forcesTLS)
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
