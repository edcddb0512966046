import DriverKit
import WireProtocol

/// A site as the panel's database has it.
struct PanelSite: Sendable, Hashable {
    let id: String
    let domain: String
    let user: String
    let type: String
    /// Below `htdocs` of the user's home.
    let rootDirectory: String
    /// Name of the template that it was made from.
    let application: String?
    /// Version of PHP, Node.js or Python.
    let runtime: String?
    /// Of the tenant's program or of PHP's pool.
    let port: String?
    let proxyURL: String?
    let certificate: PanelCertificate?

    var resource: String { "cloudpanel/site/\(domain)" }

    func json(isSuspended: Bool) -> JSONObject {
        var fields: JSONObject = [
            "domain": .string(domain), "user": .string(user), "type": .string(type),
            "root": .string("/home/\(user)/htdocs/\(rootDirectory)"), "suspended": .bool(isSuspended),
        ]
        if let application { fields["vhost_template"] = .string(application) }
        if let runtime { fields["version"] = .string(runtime) }
        if let port = port.flatMap(Int64.init) { fields["port"] = .integer(port) }
        if let proxyURL { fields["reverse_proxy_url"] = .string(proxyURL) }
        if let certificate { fields["certificate"] = .object(certificate.json) }
        return fields
    }
}

/// What the panel knows of the certificate in use.
struct PanelCertificate: Sendable, Hashable {
    let kind: String
    /// UTC, as the panel writes it: `2026-11-21 15:08:28`.
    let expires: String?

    init(type: String?, expires: String?) {
        kind =
            switch type {
            case "1": "self-signed"
            case "2": "lets-encrypt"
            case "3": "imported"
            default: "unknown"
            }
        self.expires = expires
    }

    var json: JSONObject {
        var fields: JSONObject = ["kind": .string(kind)]
        if let expires { fields["expires"] = .string(expires) }
        return fields
    }
}

extension PanelDatabase {
    /// All sites, in the order of their making.
    func sites() async throws(DriverError) -> [PanelSite] {
        let found = try await rows(
            [
                (
                    "site",
                    [
                        "id", "domain_name", "user", "type", "root_directory", "application", "reverse_proxy_url",
                        "certificate_id",
                    ]
                ),
                ("php_settings", ["site_id", "php_version", "pool_port"]),
                ("nodejs_settings", ["site_id", "nodejs_version", "port"]),
                ("python_settings", ["site_id", "python_version", "port"]),
                ("certificate", ["id", "type", "expires_at"]),
            ], needed: ["site"])
        return SiteRows(found).sites
    }

    func site(_ domain: String) async throws(DriverError) -> PanelSite? {
        try await sites().first { $0.domain == domain }
    }

    func requireSite(_ domain: String) async throws(DriverError) -> PanelSite {
        guard let site = try await site(domain) else { throw DriverError(.notFound, "there is no site \(domain)") }
        return site
    }
}

/// Rows of several tables, put together.
private struct SiteRows {
    let sites: [PanelSite]

    init(_ found: [String: [PanelDatabase.Row]]) {
        let settings = [
            ("php_settings", "php_version", "pool_port"), ("nodejs_settings", "nodejs_version", "port"),
            ("python_settings", "python_version", "port"),
        ]
        var runtimes: [String: (version: String?, port: String?)] = [:]
        for (table, version, port) in settings {
            for row in found[table] ?? [] {
                if let site = row["site_id"] { runtimes[site] = (row[version], row[port]) }
            }
        }
        var certificates: [String: PanelCertificate] = [:]
        for row in found["certificate"] ?? [] {
            if let id = row["id"] { certificates[id] = PanelCertificate(type: row["type"], expires: row["expires_at"]) }
        }
        sites = (found["site"] ?? []).compactMap { row in
            guard let id = row["id"], let domain = row["domain_name"], let user = row["user"] else { return nil }
            return PanelSite(
                id: id, domain: domain, user: user, type: row["type"] ?? "unknown",
                rootDirectory: row["root_directory"] ?? domain, application: row["application"],
                runtime: runtimes[id]?.version, port: runtimes[id]?.port, proxyURL: row["reverse_proxy_url"],
                certificate: row["certificate_id"].flatMap { certificates[$0] })
        }
    }
}
