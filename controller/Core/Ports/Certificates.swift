package import Model

/// How somebody proves to the certificate authority that a domain is theirs.
package enum CertificateChallenge: String, Sendable, Hashable, CaseIterable {
    /// By a page that the proxy serves; the site may be away for some seconds meanwhile.
    case http01 = "http-01"
    /// By a record in the zone, with the proxy's own access to the provider of its DNS.
    case dns01 = "dns-01"
}

/// A certificate that a proxy keeps and renews.
package struct KeptCertificate: Sendable, Hashable {
    /// The proxy's own id.
    package var id: String
    /// Sorted.
    package var domains: [String]
    /// Nil where the proxy does not tell.
    package var expires: Timestamp?

    package init(id: String, domains: [String], expires: Timestamp?) {
        (self.id, self.domains, self.expires) = (id, domains.sorted(), expires)
    }
}

/// Who gets certificates for the names of a proxy. All three may be said twice.
package struct CertificatePort: Sendable {
    /// Ours for exactly these domains.
    package var find: @Sendable (_ domains: [String]) async throws(PortError) -> KeptCertificate?
    /// Sees to it that there is one. May take a quarter of an hour; one at a time.
    package var obtain: @Sendable (_ domains: [String], CertificateChallenge) async throws(PortError) -> KeptCertificate
    /// Removes ours for exactly these domains. Throws `busy` while a route uses it.
    package var remove: @Sendable (_ domains: [String]) async throws(PortError) -> Void

    package init(
        find: @escaping @Sendable ([String]) async throws(PortError) -> KeptCertificate?,
        obtain: @escaping @Sendable ([String], CertificateChallenge) async throws(PortError) -> KeptCertificate,
        remove: @escaping @Sendable ([String]) async throws(PortError) -> Void
    ) {
        (self.find, self.obtain, self.remove) = (find, obtain, remove)
    }
}
