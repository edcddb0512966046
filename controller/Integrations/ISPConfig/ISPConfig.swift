package import ControllerCore
import IntegrationKit
import WireProtocol

/// Zones and their records at ISPConfig 3, by its remote API. It keeps no marks: the journal says what is ours.
package enum ISPConfig {
    package static let kind = IntegrationKind(
        name: "ispconfig", summary: "DNS zones of customers' domains, at ISPConfig 3", offers: [.zones, .dns],
        schema: schema, secrets: ["password"],
        read: { fields, path throws(CoreError) in try ISPConfigSettings.read(fields, path).json },
        connect: { fields, outside in
            do throws(CoreError) {
                return connect(try ISPConfigSettings.read(fields, "settings"), outside)
            } catch { return .unusable(error) }
        })

    static func connect(_ settings: ISPConfigSettings, _ outside: IntegrationKind.Outside) -> Integration {
        let client = ISPConfigClient(settings, outside)
        return Integration(
            dns: DNSProvider(zone: nil, records: .ispConfig(client)), zones: .ispConfig(client),
            test: { await client.checks() })
    }
}

struct ISPConfigSettings: IntegrationSettings {
    var url: String
    var username: String
    var password: String
    var server: Int64
    var client: Int64
    var nameServers: [String]
    /// Of who answers for the zones, as a name.
    var mailbox: String
    /// How long a change is given to reach the name server.
    var settleSeconds: Int64
    var authority: String?

    init(_ fields: JSONObject) throws {
        url = try fields.serviceURL("url")
        guard url.hasSuffix("/remote/json.php") else {
            throw FieldError(path: "url", problem: .value(expected: "an address that ends in /remote/json.php"))
        }
        username = try fields.line("username", atMost: 64)
        password = try fields.line("password")
        server = try fields.integer("server_id", in: 1...1_000_000)
        client = try fields.integer("client_id", in: 0...1_000_000_000)
        nameServers = try fields.strings("name_servers", limit: 13)
        guard !nameServers.isEmpty, nameServers.allSatisfy({ HostName.isValid($0) }) else {
            throw FieldError(path: "name_servers", problem: .value(expected: "a list of names in lower case"))
        }
        mailbox = try fields.domain("mailbox")
        settleSeconds = try fields.optionalInteger("settle_seconds", in: 0...600) ?? 180
        authority = try fields.optionalAuthorities()
    }

    var json: JSONObject {
        var json: JSONObject = [
            "url": .string(url), "username": .string(username), "password": .string(password),
            "server_id": .integer(server), "client_id": .integer(client),
            "name_servers": .array(nameServers.map { .string($0) }), "mailbox": .string(mailbox),
            "settle_seconds": .integer(settleSeconds),
        ]
        json["authority"] = authority.map { .string($0) }
        return json
    }
}

extension ISPConfig {
    private static func number(_ title: String, _ description: String) -> JSONValue {
        ["type": "integer", "title": .string(title), "description": .string(description), "minimum": 0]
    }

    private static func text(_ title: String, _ description: String, isSecret: Bool = false) -> JSONValue {
        var schema: JSONObject = [
            "type": "string", "title": .string(title), "description": .string(description),
        ]
        if isSecret { schema["writeOnly"] = true }
        return .object(schema)
    }

    private static let schema: JSONObject = [
        "type": "object", "additionalProperties": false,
        "required": ["url", "username", "password", "server_id", "client_id", "name_servers", "mailbox"],
        "properties": [
            "url": text("Address", "Of the remote API, such as https://panel.example.net:8080/remote/json.php"),
            "username": text("Remote user", "With the function groups for DNS, monitor and server"),
            "password": text("Password", "Of the remote user", isSecret: true),
            "server_id": number("Server", "The number of the DNS server in the panel"),
            "client_id": number("Client", "The number of the client that the zones are to belong to"),
            "name_servers": [
                "type": "array", "items": ["type": "string"], "minItems": 1, "title": "Name servers",
                "description": "What customers delegate their domains to, the first one being the primary",
            ],
            "mailbox": text("Mailbox", "Of the hostmaster, as a name: hostmaster.example.net"),
            "settle_seconds": number("Settling", "How long a change is given to reach the name server, in seconds"),
            "authority": text("Certificate authority", "The panel's own certificate, where nobody else vouches for it"),
        ],
    ]
}
