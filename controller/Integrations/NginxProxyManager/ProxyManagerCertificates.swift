import ControllerCore
import IntegrationKit
import Model
import WireProtocol

extension ProxyManagerClient {
    /// Certificates take no mark: ours are those that our user owns. For the same names twice would cost the authority's limits.
    var certificates: CertificatePort {
        CertificatePort(
            find: { domains throws(PortError) in try await self.certificate(domains) },
            obtain: { domains, challenge throws(PortError) in
                guard !domains.isEmpty, domains.allSatisfy({ Grammar.domainName.accepts($0) }) else {
                    throw PortError(.refused, "a certificate is for names in lower case")
                }
                return try await self.certbot.take("certbot", patience: .seconds(1800)) { () throws(PortError) in
                    try await self.obtain(domains.sorted(), challenge)
                }
            },
            remove: { domains throws(PortError) in try await self.remove(domains) })
    }

    private func certificate(_ domains: [String]) async throws(PortError) -> KeptCertificate? {
        let user = try await user()
        let list = try await call("GET", "/nginx/certificates", "certificates", isList: true)
        let ours = (list.asArray ?? []).filter {
            $0["owner_user_id"]?.asInteger == user && $0["provider"]?.asString == "letsencrypt"
        }.compactMap { KeptCertificate($0) }.filter { $0.domains == domains.sorted() }
        return ours.max { ($0.expires ?? .distantPast) < ($1.expires ?? .distantPast) }
    }

    private func obtain(
        _ domains: [String], _ challenge: CertificateChallenge
    ) async throws(PortError) -> KeptCertificate {
        if let there = try await certificate(domains) { return there }
        var meta: JSONObject = ["dns_challenge": .bool(challenge == .dns01)]
        if challenge == .dns01 {
            guard let provider = settings.dnsProvider, let credentials = settings.dnsCredentials else {
                throw PortError(.refused, "the proxy has no access to a provider of DNS for this challenge")
            }
            meta["dns_provider"] = .string(provider)
            meta["dns_provider_credentials"] = .string(credentials)
            meta["propagation_seconds"] = .integer(settings.propagationSeconds)
        }
        let body: JSONValue = [
            "provider": "letsencrypt", "domain_names": .array(domains.map { .string($0) }), "meta": .object(meta),
        ]
        do throws(PortError) {
            // The server itself gives up after 15 minutes.
            _ = try await call(
                "POST", "/nginx/certificates", "the certificate of \(domains[0])", body: body, timeout: .seconds(960))
        } catch {
            guard error.kind == .silent else { throw error }
            // Failed, or made with its answer lost: only the list knows. What failed is not tried again here, since the authority
            // counts failures.
            await forgetSession()
            if let there = try await certificate(domains) { return there }
            throw error
        }
        guard let made = try await certificate(domains) else {
            throw PortError(.silent, "the certificate of \(domains[0]) was made and is not to be seen")
        }
        return made
    }

    private func remove(_ domains: [String]) async throws(PortError) {
        guard let there = try await certificate(domains) else { return }
        let list = try await call("GET", "/nginx/proxy-hosts", "routes", isList: true)
        let hosts = (list.asArray ?? []).compactMap { ProxyManagerHost($0) }
        // A host whose certificate is taken away breaks with its next change.
        if let user = hosts.first(where: { "\($0.certificate)" == there.id }) {
            throw PortError(.busy, "the certificate of \(there.domains[0]) is in use by the route \(user.route.name)")
        }
        _ = try await call("DELETE", "/nginx/certificates/\(there.id)", "the certificate of \(there.domains[0])")
    }
}

extension KeptCertificate {
    fileprivate init?(_ json: JSONValue) {
        guard let id = json["id"]?.asInteger, let names = json["domain_names"]?.asArray else { return nil }
        let expires = json["expires_on"]?.asString.flatMap { Timestamp(databaseTime: $0) }
        self.init(id: "\(id)", domains: names.compactMap { $0.asString?.lowercased() }, expires: expires)
    }
}

extension Timestamp {
    fileprivate static let distantPast = Timestamp(milliseconds: 0)

    /// `2027-01-31 12:00:00` and `2027-01-31T12:00:00.000Z`, in UTC.
    fileprivate init?(databaseTime text: String) {
        let seconds = text.prefix(19).replacing(" ", with: "T")
        guard let time = Timestamp(iso8601: seconds + "Z") else { return nil }
        self = time
    }
}
