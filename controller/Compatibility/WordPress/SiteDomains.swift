import APIModels
import ControllerCore
import HTTP
import WireProtocol

// All that this API knows of how domains and backups are kept stands in this file.

/// The domains of a site's customer.
struct SiteDomains: Sendable {
    /// Where one of them stands.
    struct Standing: Sendable {
        let name: String
        let state: String
        let reason: String?
        /// The TXT record that proves whose it is.
        let record: (name: String, value: String)

        var isActive: Bool { state == "active" }
        var isServed: Bool { isActive || state == "certified" }

        var json: JSONObject {
            var json: JSONObject = [
                "domain": .string(name), "state": .string(state),
                "record": ["type": "TXT", "name": .string(record.name), "value": .string(record.value)],
            ]
            json["reason"] = reason.map { .string($0) }
            return json
        }
    }

    let all: [Standing]

    init(_ facts: JSONObject) {
        all = (facts["domains"]?.asArray ?? []).compactMap { domain in
            guard let name = domain["domain"]?.asString, let state = domain["state"]?.asString,
                let record = domain["record"]?.asString, let value = domain["value"]?.asString
            else { return nil }
            let reason = domain["reason"]?.asString.flatMap { $0.isEmpty ? nil : $0 }
            return Standing(name: name, state: state, reason: reason, record: (record, value))
        }
    }

    var served: [String] { all.filter(\.isServed).map(\.name) }

    func standing(of name: String) -> Standing? { all.first { $0.name == name } }

    /// As the product calls it: in lower case, as punycode, without `www`.
    static func normal(_ text: String) -> String? {
        guard let name = DomainText.ascii(text) else { return nil }
        return name.hasPrefix("www.") && name.split(separator: ".").count > 2 ? String(name.dropFirst(4)) : name
    }
}

extension WordPressAPI {
    /// Takes a domain up for a site; nil where the site has it already.
    func takeUp(_ domain: String, _ site: Site, _ call: APICall) async throws -> Work? {
        if let name = SiteDomains.normal(domain), SiteDomains(site.facts).standing(of: name) != nil { return nil }
        return try await order("add-domain", site, ["domain": .string(domain)], call)
    }

    /// Takes a domain as far as it goes.
    func check(_ domain: String, _ site: Site, _ call: APICall) async throws -> Work {
        try await order("check-domain", site, ["domain": .string(domain)], call)
    }

    // MARK: backups

    func backUp(_ site: Site, _ call: APICall) async throws -> Work { try await order("back-up", site, [:], call) }

    /// - Parameter backup: the newest without one.
    func restore(_ site: Site, _ backup: String?, _ call: APICall) async throws -> Work {
        var parameters: JSONObject = [:]
        parameters["backup"] = backup.map { .string($0) }
        return try await order("restore", site, parameters, call)
    }
}

extension Site {
    /// Its backups, the oldest first: `backup` is what `/actions/restore` takes.
    var backups: [JSONObject] {
        (facts["backups"]?.asArray ?? []).compactMap { backup in
            guard let name = backup["backup"] else { return nil }
            var json: JSONObject = ["backup": name]
            json["created_at"] = backup["time"]?.asInteger.map { .string(Self.text(of: $0)) }
            json["size_bytes"] = backup["size_bytes"]
            return json
        }
    }
}
