import Model
package import WireProtocol

/// Where the rows of a queue are, what becomes of them, and what they are told.
package struct QueueSettings: Sendable, Hashable {
    /// The table of the sites and its columns. An empty name of a column that is only written says that there is none.
    package struct Sites: Sendable, Hashable {
        package var table = "sites"
        package var key = "id"
        package var domain = "domain"
        package var statusDNS = "status_dns"
        package var statusHosting = "status_hosting"
        package var docRoot = "hosting_doc_root"
        package var matomoSiteID = "matomo_site_id"
        package var errorMessage = "error_message"

        package init() {}

        /// All that are there, to be looked for before anything is made.
        var columns: [String] {
            [domain, statusDNS, statusHosting, docRoot, matomoSiteID, errorMessage].filter { !$0.isEmpty }
        }
    }

    /// The words that stand in the columns.
    package struct Words: Sendable, Hashable {
        /// Of DNS, when a site may be made.
        package var ready = "active"
        package var pending = "pending"
        /// While it is made; nil tells nothing in between.
        package var claimed: String?
        package var active = "active"
        package var failed = "failed"

        package init() {}
    }

    /// The table of the servers, whose addresses say on which nodes sites may go.
    package struct Servers: Sendable, Hashable {
        package var isUsed = true
        package var table = "servers"
        package var address = "ip_address"

        package init() {}
    }

    /// A table whose first row says how Matomo is reached.
    package struct MatomoTable: Sendable, Hashable {
        package var table: String
        package var url = "url"
        package var token = "token"

        package init(table: String) { self.table = table }
    }

    /// The integration that offers the tables; nil where a request brings how they are reached.
    package var tables: String?
    package var plan: String
    package var customer: String
    /// That nodes must carry.
    package var labels: [String: String]
    /// Whether a site that is on its server already, under the expected account, is taken into care.
    package var adopts: Bool
    /// The integration that counts visits, in place of the plan's.
    package var analytics: String?
    package var matomo: MatomoTable?
    package var sites = Sites()
    package var words = Words()
    package var servers = Servers()
    package var interval = Duration.seconds(60)

    package init(
        tables: String? = nil, plan: String, customer: String, labels: [String: String] = [:], adopts: Bool = false
    ) {
        (self.tables, self.plan, self.customer) = (tables, plan, customer)
        (self.labels, self.adopts) = (labels, adopts)
    }
}

extension QueueSettings {
    package static let schema: JSONObject = [
        "type": "object", "additionalProperties": false, "required": ["tables", "plan", "customer"],
        "properties": [
            "tables": ["type": "string", "description": "The integration that offers the tables."],
            "plan": ["type": "string", "description": "What each row becomes a service of."],
            "customer": ["type": "string", "description": "Whose the services are."],
            "labels": [
                "type": "object", "additionalProperties": ["type": "string"],
                "description": "Labels that a node must carry to get sites of this queue.",
            ],
            "adopt": [
                "type": "string", "enum": ["none", "same_user"], "default": "none",
                "description":
                    "same_user takes a site into care that is on the server already, where its account is the expected one.",
            ],
            "analytics": [
                "type": "string", "description": "The integration that counts visits, in place of the plan's.",
            ],
            "matomo": object(
                "A table whose first row says how Matomo is reached; nothing of it is kept.",
                ["table", "url", "token"], required: ["table"]),
            "sites": object(
                "The table of the sites and its columns; an empty name of a column that is only written leaves it out.",
                [
                    "table", "key", "domain", "status_dns", "status_hosting", "hosting_doc_root", "matomo_site_id",
                    "error_message",
                ]),
            "values": object(
                "The words in the columns. claimed is written while a site is made, where it is given.",
                ["ready", "pending", "claimed", "active", "failed"]),
            "servers": [
                "type": "object", "additionalProperties": false,
                "description":
                    "The table of the servers, where there is one: sites go to nodes whose label address has one of its addresses.",
                "properties": [
                    "use": ["type": "boolean", "default": true], "table": ["type": "string"],
                    "address": ["type": "string"],
                ],
            ],
            "interval_s": [
                "type": "integer", "minimum": 5, "maximum": 86_400, "default": 60,
                "description": "Seconds from one look to the next.",
            ],
        ],
    ]

    private static func object(_ description: String, _ fields: [String], required: [String] = []) -> JSONValue {
        var schema: JSONObject = [
            "type": "object", "additionalProperties": false, "description": .string(description),
            "properties": .object(JSONObject(fields.map { ($0, ["type": "string"]) })),
        ]
        if !required.isEmpty { schema["required"] = .array(required.map { .string($0) }) }
        return .object(schema)
    }

    /// Reads and checks settings as an operator gives them, or as they were kept.
    package init(json: JSONObject, under path: String = "settings") throws(CoreError) {
        try SchemaCheck().check(json, Self.schema, path)
        do throws(FieldError) { self = try Self.read(json) } catch {
            throw .invalid(field: error.under(path).path, problem: error.sentence)
        }
    }

    private static func read(_ json: JSONObject) throws(FieldError) -> QueueSettings {
        var made = QueueSettings(
            tables: try text(json, "tables", .planName), plan: try text(json, "plan", .planName),
            customer: try text(json, "customer", .externalID), labels: try labels(json),
            adopts: try json.optionalString("adopt") == "same_user")
        if json["analytics"] != nil { made.analytics = try text(json, "analytics", .planName) }
        made.matomo = try part(json, "matomo") { (fields) throws(FieldError) in
            var matomo = MatomoTable(table: try name(fields, "table", ""))
            matomo.url = try name(fields, "url", matomo.url)
            matomo.token = try name(fields, "token", matomo.token)
            return matomo
        }
        made.sites = try part(json, "sites") { (fields) throws(FieldError) in try Sites(fields) } ?? Sites()
        made.words = try part(json, "values") { (fields) throws(FieldError) in try Words(fields) } ?? Words()
        made.servers =
            try part(json, "servers") { (fields) throws(FieldError) in
                var servers = Servers()
                servers.isUsed = try fields.optionalBool("use") ?? true
                servers.table = try name(fields, "table", servers.table)
                servers.address = try name(fields, "address", servers.address)
                return servers
            } ?? Servers()
        if let seconds = try json.optionalInteger("interval_s", in: 5...86_400) { made.interval = .seconds(seconds) }
        guard made.analytics == nil || made.matomo == nil else {
            throw FieldError(path: "matomo", problem: .value(expected: "absent where analytics is given"))
        }
        return made
    }

    private static func part<Part>(
        _ json: JSONObject, _ key: String, _ read: (JSONObject) throws(FieldError) -> Part
    ) throws(FieldError) -> Part? {
        guard let fields = try json.optionalObject(key) else { return nil }
        do throws(FieldError) { return try read(fields) } catch { throw error.under(key) }
    }

    private static func text(_ json: JSONObject, _ key: String, _ grammar: Grammar) throws(FieldError) -> String {
        let text = try json.string(key)
        guard grammar.accepts(text) else {
            throw FieldError(path: key, problem: .value(expected: grammar.expectation))
        }
        return text
    }

    private static func labels(_ json: JSONObject) throws(FieldError) -> [String: String] {
        guard let fields = try json.optionalObject("labels") else { return [:] }
        guard fields.count <= 64 else { throw FieldError(path: "labels", problem: .tooMany(limit: 64)) }
        var labels: [String: String] = [:]
        for member in fields.members {
            guard let value = member.value.asString, Grammar.labelKey.accepts(member.key),
                Grammar.labelValue.accepts(value)
            else {
                throw FieldError(
                    path: "labels.\(member.key.prefix(64))", problem: .value(expected: Grammar.labelValue.expectation))
            }
            labels[member.key] = value
        }
        return labels
    }

    /// The name of a table or a column.
    /// - Parameter isOptional: whether it may be empty, which says that there is none.
    fileprivate static func name(
        _ json: JSONObject, _ key: String, _ standard: String, isOptional: Bool = false
    ) throws(FieldError) -> String {
        guard let text = try json.optionalString(key) else { return standard }
        let isName =
            (1...63).contains(text.utf8.count) && text.utf8.first.map { !(0x30...0x39).contains($0) } == true
            && text.utf8.allSatisfy {
                (0x61...0x7A).contains($0 | 0x20) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "_")
            }
        guard isName || (isOptional && text.isEmpty) else {
            throw FieldError(path: key, problem: .value(expected: "1 to 63 letters, digits and _, no digit first"))
        }
        return text
    }

    /// A word of a status.
    fileprivate static func word(_ json: JSONObject, _ key: String) throws(FieldError) -> String? {
        guard let text = try json.optionalString(key) else { return nil }
        guard (1...64).contains(text.utf8.count), VisibleText.isVisible(text) else {
            throw FieldError(path: key, problem: .value(expected: "1 to 64 characters of text"))
        }
        return text
    }
}

extension QueueSettings.Sites {
    fileprivate init(_ json: JSONObject) throws(FieldError) {
        self.init()
        table = try QueueSettings.name(json, "table", table)
        key = try QueueSettings.name(json, "key", key)
        domain = try QueueSettings.name(json, "domain", domain)
        statusDNS = try QueueSettings.name(json, "status_dns", statusDNS)
        statusHosting = try QueueSettings.name(json, "status_hosting", statusHosting)
        docRoot = try QueueSettings.name(json, "hosting_doc_root", docRoot, isOptional: true)
        matomoSiteID = try QueueSettings.name(json, "matomo_site_id", matomoSiteID, isOptional: true)
        errorMessage = try QueueSettings.name(json, "error_message", errorMessage, isOptional: true)
    }
}

extension QueueSettings.Words {
    fileprivate init(_ json: JSONObject) throws(FieldError) {
        self.init()
        ready = try QueueSettings.word(json, "ready") ?? ready
        pending = try QueueSettings.word(json, "pending") ?? pending
        claimed = try QueueSettings.word(json, "claimed")
        active = try QueueSettings.word(json, "active") ?? active
        failed = try QueueSettings.word(json, "failed") ?? failed
        let all = [pending, active, failed] + [claimed].compactMap(\.self)
        guard Set(all).count == all.count else {
            throw FieldError(path: "pending", problem: .value(expected: "another word than claimed, active and failed"))
        }
    }
}
