/// A service of others that is set up, ready to be asked.
package struct Integration: Sendable {
    package var dns: DNSProvider?
    package var zones: ObjectProvider<DNSZone>?
    package var proxy: ProxyProvider?
    package var resolver: ResolverPort?
    package var analytics: AnalyticsProvider?
    package var tables: TablePort?
    /// Looks whether everything is as it must be, and changes nothing. Each check has a limit of its own.
    package var test: @Sendable () async -> [IntegrationCheck]

    package init(
        dns: DNSProvider? = nil, zones: ObjectProvider<DNSZone>? = nil, proxy: ProxyProvider? = nil,
        resolver: ResolverPort? = nil, analytics: AnalyticsProvider? = nil, tables: TablePort? = nil,
        test: @escaping @Sendable () async -> [IntegrationCheck]
    ) {
        (self.dns, self.zones, self.proxy, self.resolver, self.test) = (dns, zones, proxy, resolver, test)
        (self.analytics, self.tables) = (analytics, tables)
    }
}

/// Records in a zone.
package struct DNSProvider: Sendable {
    /// The zone that it is for; nil for any that the service has.
    package var zone: String?
    package var records: ObjectProvider<DNSRecord>

    package init(zone: String?, records: ObjectProvider<DNSRecord>) { (self.zone, self.records) = (zone, records) }

    /// Whether the host's records belong there.
    package func covers(_ host: String) -> Bool {
        zone.map { host == $0 || host.hasSuffix("." + $0) } ?? true
    }
}

/// A reverse proxy that answers for sites.
package struct ProxyProvider: Sendable {
    /// Under which the world reaches it: IPv4 and IPv6.
    package var addresses: [String]
    package var routes: ObjectProvider<ProxyRoute>
    package var certificates: CertificatePort
    /// What proves that a domain is ours, in the order in which it is to be tried.
    package var challenges: [CertificateChallenge]

    package init(
        addresses: [String], routes: ObjectProvider<ProxyRoute>, certificates: CertificatePort,
        challenges: [CertificateChallenge] = [.http01]
    ) {
        (self.addresses, self.routes) = (addresses, routes)
        (self.certificates, self.challenges) = (certificates, challenges)
    }
}

/// Who counts the visits to sites.
package struct AnalyticsProvider: Sendable {
    /// What is put without an id gets one, which `find` tells. What is put with one of ours gets its domain, and keeps what was counted.
    package var sites: ObjectProvider<AnalyticsSite>
    /// The lines that pages of a site bear so that their visits are counted, as HTML.
    package var snippet: @Sendable (_ id: String) async throws(PortError) -> String

    package init(
        sites: ObjectProvider<AnalyticsSite>, snippet: @escaping @Sendable (String) async throws(PortError) -> String
    ) {
        (self.sites, self.snippet) = (sites, snippet)
    }
}

/// One thing that was looked at.
package struct IntegrationCheck: Sendable, Hashable {
    /// `credentials`, `zone`.
    package var name: String
    package var isPassed: Bool
    /// One sentence: what was seen, or what to do.
    package var message: String

    package init(_ name: String, isPassed: Bool, _ message: String) {
        (self.name, self.isPassed, self.message) = (name, isPassed, message)
    }
}

extension IntegrationCheck {
    /// A look that tells what it saw, or fails with the reason.
    package static func look(
        _ name: String, _ body: () async throws(PortError) -> String
    ) async -> IntegrationCheck {
        do throws(PortError) {
            return IntegrationCheck(name, isPassed: true, try await body())
        } catch {
            return IntegrationCheck(name, isPassed: false, error.message)
        }
    }
}

/// What sagas ask for what the operator has set up. An integration is named by the plan or the service that uses it.
package struct IntegrationsPort: Sendable {
    /// By name. Throws `notSetUp` where there is none.
    package var named: @Sendable (_ name: String) async throws(PortError) -> Integration
    /// The names of those that offer something, sorted.
    package var offering: @Sendable (IntegrationOffer) async throws(PortError) -> [String]

    package init(
        named: @escaping @Sendable (String) async throws(PortError) -> Integration,
        offering: @escaping @Sendable (IntegrationOffer) async throws(PortError) -> [String]
    ) {
        (self.named, self.offering) = (named, offering)
    }

    package static let none = IntegrationsPort(
        named: { (name) throws(PortError) in throw .notSetUp("integration \(name)") },
        offering: { (_) throws(PortError) in [] })

    package func dns(_ name: String) async throws(PortError) -> DNSProvider {
        try Self.required(try await named(name).dns, name, "DNS")
    }

    package func zones(_ name: String) async throws(PortError) -> ObjectProvider<DNSZone> {
        try Self.required(try await named(name).zones, name, "DNS zones")
    }

    package func proxy(_ name: String) async throws(PortError) -> ProxyProvider {
        try Self.required(try await named(name).proxy, name, "a proxy")
    }

    package func analytics(_ name: String) async throws(PortError) -> AnalyticsProvider {
        try Self.required(try await named(name).analytics, name, "analytics")
    }

    package func tables(_ name: String) async throws(PortError) -> TablePort {
        try Self.required(try await named(name).tables, name, "tables")
    }

    private static func required<Part>(_ part: Part?, _ name: String, _ what: String) throws(PortError) -> Part {
        guard let part else { throw PortError(.notSetUp, "integration \(name) does not offer \(what)") }
        return part
    }
}
