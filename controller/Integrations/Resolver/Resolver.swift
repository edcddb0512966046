package import ControllerCore
import IntegrationKit
import Model
import WireProtocol

/// Asks what the world is told under a name, by libresolv's messages over sockets of its own.
package enum Resolver {
    package static let kind = IntegrationKind(
        name: "resolver", summary: "Name servers that are asked what the world is told under a name",
        offers: [.resolver], schema: schema, secrets: [],
        read: { fields, path throws(CoreError) in try ResolverSettings.read(fields, path).json },
        connect: { fields, outside in
            do throws(CoreError) {
                return connect(try ResolverSettings.read(fields, "settings"), outside)
            } catch { return .unusable(error) }
        })

    /// With the servers that the machine is set up with.
    package static func system() -> ResolverPort {
        DNSLookup(ResolverSettings(), name: "resolver").port
    }

    static func connect(_ settings: ResolverSettings, _ outside: IntegrationKind.Outside) -> Integration {
        let lookup = DNSLookup(settings, name: outside.name)
        return Integration(resolver: lookup.port, test: { await lookup.checks() })
    }
}

struct ResolverSettings: IntegrationSettings {
    /// Empty for those of the machine.
    var servers: [DNSServer] = []
    /// Of a whole look.
    var timeout = Duration.seconds(10)
    /// Whether "there is none" is asked again of the domain's own servers, which keep no such answer.
    var asksAuthorities = true
    /// Whether a domain's own servers may be at addresses of this machine or of a private network.
    var allowsPrivate = false
    /// A name that the test looks up.
    var probe = "example.org"
    /// Of the domains' own servers.
    var authorityPort: UInt16 = 53

    init() {}

    init(_ fields: JSONObject) throws {
        servers = try (fields.optionalStrings("servers", limit: 8) ?? []).map { text in
            guard let server = DNSServer(text) else {
                throw FieldError(
                    path: "servers", problem: .value(expected: "addresses, with a port where it is not 53"))
            }
            return server
        }
        timeout = .seconds(try fields.optionalInteger("timeout_seconds", in: 1...60) ?? 10)
        asksAuthorities = try fields.optionalBool("ask_authorities") ?? true
        allowsPrivate = try fields.optionalBool("allow_private_servers") ?? false
        if fields["probe"] != nil { probe = try fields.domain("probe") }
    }

    var json: JSONObject {
        [
            "servers": .array(servers.map { .string("\($0)") }),
            "timeout_seconds": .integer(timeout.components.seconds),
            "ask_authorities": .bool(asksAuthorities), "allow_private_servers": .bool(allowsPrivate),
            "probe": .string(probe),
        ]
    }
}

extension Resolver {
    private static let schema: JSONObject = [
        "type": "object", "additionalProperties": false,
        "properties": [
            "servers": [
                "type": "array", "items": ["type": "string"], "maxItems": 8, "title": "Servers",
                "description": "Addresses, such as 192.0.2.53 or [2001:db8::53]:5353; those of the machine by default",
            ],
            "timeout_seconds": [
                "type": "integer", "minimum": 1, "maximum": 60, "default": 10, "title": "Time limit",
                "description": "Of a whole look, in seconds",
            ],
            "ask_authorities": [
                "type": "boolean", "default": true, "title": "Ask the domain's own servers",
                "description": "When there is nothing: resolvers keep such an answer for long",
            ],
            "allow_private_servers": [
                "type": "boolean", "default": false, "title": "Private servers",
                "description": "Whether a domain's own servers may be in a private network",
            ],
            "probe": ["type": "string", "title": "Probe", "description": "A name that the test looks up"],
        ],
    ]
}
