package import ControllerCore
import IntegrationKit
import WireProtocol

/// Counting of visits by Matomo, by its HTTP API. The token must be a super user's: no other may make tracking sites.
package enum Matomo {
    package static let kind = IntegrationKind(
        name: "matomo", summary: "Counts visits to sites, with Matomo", offers: [.analytics], schema: schema,
        secrets: ["token"],
        read: { fields, path throws(CoreError) in try MatomoSettings.read(fields, path).json },
        connect: { fields, outside in
            do throws(CoreError) {
                return connect(try MatomoSettings.read(fields, "settings"), outside)
            } catch { return .unusable(error) }
        })

    static func connect(_ settings: MatomoSettings, _ outside: IntegrationKind.Outside) -> Integration {
        let client = MatomoClient(settings, outside)
        let analytics = AnalyticsProvider(
            sites: .matomo(client), snippet: { id throws(PortError) in try await client.snippet(id) })
        return Integration(analytics: analytics, test: { await client.checks() })
    }
}

struct MatomoSettings: IntegrationSettings {
    /// Without `/index.php`.
    var url: String
    var token: String
    /// What the groups of our tracking sites begin with.
    var group: String
    /// Whether a tracking site that is there, with the same main URL and without a mark of ours, is taken over.
    var adopts: Bool
    /// Of new tracking sites; nil for what Matomo takes.
    var timezone: String?
    var currency: String?
    var authority: String?

    static let standardGroup = "innkeeper"

    init(_ fields: JSONObject) throws {
        let address = try fields.serviceURL("url")
        url = address.hasSuffix("/index.php") ? String(address.dropLast(10)) : address
        token = try fields.line("token", atMost: 200)
        guard token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw FieldError(path: "token", problem: .value(expected: "an API token"))
        }
        group = try fields.optionalLine("group", atMost: 60) ?? Self.standardGroup
        // What Matomo would write otherwise than it was told, or we would not read as it was written.
        guard group.utf8.allSatisfy({ Self.isPlain($0) }), group.first != " ", group.last != " " else {
            throw FieldError(path: "group", problem: .value(expected: "letters, digits, blanks and . _ -"))
        }
        adopts = try fields.optionalBool("adopt") ?? false
        timezone = try fields.optionalLine("timezone", atMost: 64)
        guard timezone?.utf8.allSatisfy({ Self.isPlain($0) || "+/:".utf8.contains($0) }) ?? true else {
            throw FieldError(path: "timezone", problem: .value(expected: "a time zone such as Europe/Berlin"))
        }
        currency = try fields.optionalLine("currency", atMost: 3)
        guard currency?.utf8.allSatisfy({ (0x41...0x5A).contains($0) }) ?? true, currency?.utf8.count ?? 3 == 3 else {
            throw FieldError(path: "currency", problem: .value(expected: "a code such as EUR"))
        }
        authority = try fields.optionalAuthorities()
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: " ._-".utf8.contains(byte)
        }
    }

    var json: JSONObject {
        var json: JSONObject = [
            "url": .string(url), "token": .string(token), "group": .string(group), "adopt": .bool(adopts),
        ]
        json["timezone"] = timezone.map { .string($0) }
        json["currency"] = currency.map { .string($0) }
        json["authority"] = authority.map { .string($0) }
        return json
    }
}

extension Matomo {
    private static let schema: JSONObject = [
        "type": "object", "additionalProperties": false, "required": ["url", "token"],
        "properties": [
            "url": [
                "type": "string", "title": "Address", "description": "Where Matomo is: https://stats.example.net",
            ],
            "token": [
                "type": "string", "title": "API token", "writeOnly": true, "maxLength": 200,
                "description": "Of a super user of Innkeeper's own",
            ],
            "group": [
                "type": "string", "title": "Group", "default": .string(MatomoSettings.standardGroup), "maxLength": 60,
                "description": "What the groups of its tracking sites begin with; another one for each Innkeeper",
            ],
            "adopt": [
                "type": "boolean", "title": "Take over what is there", "default": false,
                "description":
                    "A tracking site with the same main URL that bears no mark is used, and given back later",
            ],
            "timezone": [
                "type": "string", "title": "Time zone", "maxLength": 64,
                "description": "Of new tracking sites, such as Europe/Berlin; without it Matomo's own",
            ],
            "currency": [
                "type": "string", "title": "Currency", "minLength": 3, "maxLength": 3,
                "description": "Of new tracking sites, such as EUR; without it Matomo's own",
            ],
            "authority": [
                "type": "string", "title": "Certificate authority",
                "description": "The only one that may vouch for Matomo, as PEM",
            ],
        ],
    ]
}
