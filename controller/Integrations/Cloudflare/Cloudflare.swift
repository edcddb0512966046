package import ControllerCore
import IntegrationKit
import WireProtocol

/// DNS at Cloudflare, API v4: one zone for each integration, with a token of its own.
package enum Cloudflare {
    package static let kind = IntegrationKind(
        name: "cloudflare", summary: "DNS records in a zone at Cloudflare", offers: [.dns], schema: schema,
        secrets: ["token"],
        read: { fields, path throws(CoreError) in try CloudflareSettings.read(fields, path).json },
        connect: { fields, outside in
            // What was kept was read before; what cannot be read any more says so when it is asked.
            do throws(CoreError) {
                return connect(try CloudflareSettings.read(fields, "settings"), outside)
            } catch { return .unusable(error) }
        })

    static func connect(_ settings: CloudflareSettings, _ outside: IntegrationKind.Outside) -> Integration {
        let client = CloudflareClient(settings, outside)
        return Integration(
            dns: DNSProvider(zone: settings.zone, records: .cloudflare(client)), test: { await client.checks() })
    }
}

struct CloudflareSettings: IntegrationSettings {
    var token: String
    var zone: String
    var url: String
    var authority: String?

    init(_ fields: JSONObject) throws {
        token = try fields.line("token")
        guard token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw FieldError(path: "token", problem: .value(expected: "an API token"))
        }
        zone = try fields.domain("zone")
        url = fields["url"] == nil ? Self.standardURL : try fields.serviceURL("url")
        authority = try fields.optionalAuthorities()
    }

    static let standardURL = "https://api.cloudflare.com/client/v4"

    var json: JSONObject {
        var json: JSONObject = ["token": .string(token), "zone": .string(zone), "url": .string(url)]
        json["authority"] = authority.map { .string($0) }
        return json
    }
}

extension Cloudflare {
    private static let schema: JSONObject = [
        "type": "object", "additionalProperties": false, "required": ["token", "zone"],
        "properties": [
            "token": [
                "type": "string", "title": "API token", "writeOnly": true, "maxLength": 1000,
                "description": "With the permissions Zone/DNS/Edit and Zone/Zone/Read for this zone alone",
            ],
            "zone": [
                "type": "string", "title": "Zone", "description": "The zone's name, such as example.org",
            ],
            "url": [
                "type": "string", "title": "Address of the API", "default": .string(CloudflareSettings.standardURL),
            ],
            "authority": [
                "type": "string", "title": "Certificate authority",
                "description": "The only one that may vouch for the API, as PEM",
            ],
        ],
    ]
}
