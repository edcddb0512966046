package import ControllerCore
import IntegrationKit
import Model
import WireProtocol

/// A reverse proxy run by Nginx Proxy Manager, by its REST API. Our user there must be one of its own, without a second factor.
package enum NginxProxyManager {
    package static let kind = IntegrationKind(
        name: "nginx-proxy-manager", summary: "A reverse proxy with certificates, run by Nginx Proxy Manager",
        offers: [.proxy], schema: schema, secrets: ["password", "dns_credentials"],
        read: { fields, path throws(CoreError) in try ProxyManagerSettings.read(fields, path).json },
        connect: { fields, outside in
            do throws(CoreError) {
                return connect(try ProxyManagerSettings.read(fields, "settings"), outside)
            } catch { return .unusable(error) }
        })

    static func connect(_ settings: ProxyManagerSettings, _ outside: IntegrationKind.Outside) -> Integration {
        let client = ProxyManagerClient(settings, outside)
        let proxy = ProxyProvider(
            addresses: settings.addresses, routes: .proxyManager(client), certificates: client.certificates,
            challenges: settings.dnsProvider == nil ? [.http01] : [.http01, .dns01])
        return Integration(proxy: proxy, test: { await client.checks() })
    }
}

struct ProxyManagerSettings: IntegrationSettings {
    var url: String
    var email: String
    var password: String
    var addresses: [String]
    /// certbot's name of the provider, and what its plugin wants in its file.
    var dnsProvider: String?
    var dnsCredentials: String?
    var propagationSeconds: Int64
    var authority: String?

    init(_ fields: JSONObject) throws {
        url = try fields.serviceURL("url")
        email = try fields.line("email", atMost: 200)
        password = try fields.line("password")
        addresses = try fields.strings("addresses", limit: 16).map { text in
            guard let address = IPAddress(text) else {
                throw FieldError(path: "addresses", problem: .value(expected: "a list of IP addresses"))
            }
            return "\(address)"
        }
        guard !addresses.isEmpty else { throw FieldError(path: "addresses", problem: .value(expected: "not empty")) }
        dnsProvider = try fields.optionalLine("dns_provider", atMost: 64)
        dnsCredentials = try fields.optionalString("dns_credentials")
        guard dnsProvider.map({ Grammar.planName.accepts($0) }) ?? true else {
            throw FieldError(path: "dns_provider", problem: .value(expected: "a name such as cloudflare"))
        }
        guard (dnsProvider == nil) == (dnsCredentials == nil) else {
            throw FieldError(
                path: dnsProvider == nil ? "dns_provider" : "dns_credentials", problem: .missing)
        }
        propagationSeconds = try fields.optionalInteger("propagation_seconds", in: 0...600) ?? 60
        authority = try fields.optionalAuthorities()
    }

    var json: JSONObject {
        var json: JSONObject = [
            "url": .string(url), "email": .string(email), "password": .string(password),
            "addresses": .array(addresses.map { .string($0) }), "propagation_seconds": .integer(propagationSeconds),
        ]
        json["dns_provider"] = dnsProvider.map { .string($0) }
        json["dns_credentials"] = dnsCredentials.map { .string($0) }
        json["authority"] = authority.map { .string($0) }
        return json
    }
}

extension NginxProxyManager {
    private static func text(_ title: String, _ description: String, isSecret: Bool = false) -> JSONValue {
        var schema: JSONObject = [
            "type": "string", "title": .string(title), "description": .string(description),
        ]
        if isSecret { schema["writeOnly"] = true }
        return .object(schema)
    }

    private static let schema: JSONObject = [
        "type": "object", "additionalProperties": false, "required": ["url", "email", "password", "addresses"],
        "properties": [
            "url": text("Address", "Where its interface is, such as https://proxy.example.net"),
            "email": text("E-mail address", "Of a user of Innkeeper's own, without a second factor"),
            "password": text("Password", "Of that user", isSecret: true),
            "addresses": [
                "type": "array", "items": ["type": "string"], "title": "Public addresses", "minItems": 1,
                "description": "Under which the world reaches the proxy: records of sites lead here",
            ],
            "dns_provider": text("DNS provider", "For certificates by DNS challenge: certbot's name of it"),
            "dns_credentials": text("DNS credentials", "What certbot's plugin wants, as in its file", isSecret: true),
            "propagation_seconds": [
                "type": "integer", "title": "Propagation", "minimum": 0, "maximum": 600, "default": 60,
                "description": "Seconds that a record of the challenge is given to be seen everywhere",
            ],
            "authority": text("Certificate authority", "The only one that may vouch for the interface, as PEM"),
        ],
    ]
}
