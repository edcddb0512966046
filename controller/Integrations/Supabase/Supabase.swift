package import ControllerCore
import IntegrationKit
import Model
import WireProtocol

/// Tables of a Supabase project, or of a PostgREST of one's own, by its REST API.
package enum Supabase {
    package static let kind = IntegrationKind(
        name: "supabase", summary: "Tables of a Supabase project, or of any PostgREST", offers: [.tables],
        schema: schema, secrets: ["key"],
        read: { fields, path throws(CoreError) in try SupabaseSettings.read(fields, path).json },
        connect: { fields, outside in
            do throws(CoreError) {
                return connect(try SupabaseSettings.read(fields, "settings"), outside)
            } catch { return .unusable(error) }
        })

    static func connect(_ settings: SupabaseSettings, _ outside: IntegrationKind.Outside) -> Integration {
        let client = SupabaseClient(settings, outside)
        return Integration(tables: .supabase(client), test: { await client.checks() })
    }
}

struct SupabaseSettings: IntegrationSettings {
    /// Of the project, without the path of its REST API.
    var url: String
    var key: SupabaseKey
    var schema: String
    /// Before the names of tables: `/rest/v1`, empty for a PostgREST without a gateway.
    var path: String
    var authority: String?

    static let standardPath = "/rest/v1"

    init(_ fields: JSONObject) throws {
        let path = try fields.optionalString("path") ?? Self.standardPath
        guard path.isEmpty || Self.isPath(path) else {
            throw FieldError(path: "path", problem: .value(expected: "empty, or a path such as /rest/v1"))
        }
        let address = try fields.serviceURL("url")
        // Given as the dashboard shows it for clients of its REST API.
        url = !path.isEmpty && address.hasSuffix(path) ? String(address.dropLast(path.utf8.count)) : address
        self.path = path
        key = try SupabaseKey(try fields.line("key", atMost: 4000))
        schema = try fields.optionalString("schema") ?? "public"
        guard TableNames.isPlain(schema) else {
            throw FieldError(path: "schema", problem: .value(expected: TableNames.expectation))
        }
        authority = try fields.optionalAuthorities()
    }

    private static func isPath(_ path: String) -> Bool {
        path.utf8.count <= 100 && path.hasPrefix("/") && !path.hasSuffix("/") && !path.contains("..")
            && path.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
                    || "/._-".utf8.contains($0)
            }
    }

    var json: JSONObject {
        var json: JSONObject = [
            "url": .string(url), "key": .string(key.text), "schema": .string(schema), "path": .string(path),
        ]
        json["authority"] = authority.map { .string($0) }
        return json
    }
}

extension Supabase {
    private static let schema: JSONObject = [
        "type": "object", "additionalProperties": false, "required": ["url", "key"],
        "properties": [
            "url": [
                "type": "string", "title": "Address", "description": "Of the project: https://REF.supabase.co",
            ],
            "key": [
                "type": "string", "title": "Service key", "writeOnly": true, "maxLength": 4000,
                "description":
                    "A secret key (sb_secret_…), the key service_role, or a JWT of a role that may see and change the rows",
            ],
            "schema": [
                "type": "string", "title": "Schema", "default": "public", "maxLength": 63,
                "description": "In which the tables are; one of those that the API exposes",
            ],
            "path": [
                "type": "string", "title": "Path of the API", "default": .string(SupabaseSettings.standardPath),
                "maxLength": 100, "description": "Empty for a PostgREST of one's own",
            ],
            "authority": [
                "type": "string", "title": "Certificate authority",
                "description": "The only one that may vouch for the API, as PEM",
            ],
        ],
    ]
}
