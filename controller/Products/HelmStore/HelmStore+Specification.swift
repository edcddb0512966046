import ControllerCore
import WireProtocol

extension HelmStore {
    static let specification = Specification(
        schema: schema,
        overridable: ["name", "id", "email", "title", "version", "backups", "files_gib", "placement", "on_failure"],
        upgradable: ["version", "chart_version", "backups", "files_gib", "values", "environment_values", "title"],
        read: { fields, path throws(CoreError) in try StoreSpec(json: fields, under: path).json },
        grow: { growth throws(CoreError) in
            try StoreSpec(json: growth.spec).grown(to: growth.plan, overrides: growth.overrides).json
        })

    static let placement = PlacementNeeds { spec throws(CoreError) in try StoreSpec(json: spec).demand }

    private static let schema: JSONObject = [
        "type": "object", "additionalProperties": false, "required": ["chart", "zone"],
        "properties": [
            "engine": [
                "type": "string", "title": "Engine", "enum": ["woocommerce", "medusa"], "default": "woocommerce",
            ],
            "version": [
                "type": "string", "title": "Version", "maxLength": 128,
                "description": "Of WooCommerce, or the tag of the operator's image of Medusa; without it, the chart's.",
            ],
            "chart": [
                "type": "string", "title": "Chart", "maxLength": 1024,
                "description":
                    "A path on the node, oci://host/path, or a name together with chart_repo; /usr/share/innkeeper/charts/store is the packaged one.",
            ],
            "chart_version": ["type": "string", "maxLength": 128],
            "chart_repo": ["type": "string", "maxLength": 512, "description": "https://…"],
            "zone": [
                "type": "string", "title": "Zone", "maxLength": 190,
                "description": "The domain below which shops get their names: shops.example.org.",
            ],
            "tls": [
                "type": "boolean", "default": true, "description": "Whether shops are reached over https.",
            ],
            "files_gib": size("Room for the shop's files; it only grows.", 5),
            "database_gib": size("Room for the database; it stays as it is.", 5),
            "backups": [
                "type": "object", "additionalProperties": false, "title": "Backups",
                "properties": [
                    "retention": [
                        "type": "integer", "minimum": 0, "maximum": 365, "default": 0,
                        "description": "How many are kept; 0 makes none.",
                    ],
                    "schedule": ["type": "string", "enum": ["none", "daily", "weekly"], "default": "none"],
                    "size_gib": size("Room for them.", 10),
                ],
            ],
            "values": values("What the chart is told beside what follows from the service."),
            "environment_values": values("The same for this environment; it lies over values."),
            "ready": [
                "type": "object", "additionalProperties": false, "title": "Readiness",
                "properties": [
                    "timeout_s": [
                        "type": "integer", "minimum": .integer(StoreSpec.timeout.lowerBound),
                        "maximum": .integer(StoreSpec.timeout.upperBound), "default": 600,
                    ],
                    "poll_s": [
                        "type": "integer", "minimum": .integer(StoreSpec.poll.lowerBound),
                        "maximum": .integer(StoreSpec.poll.upperBound), "default": 5,
                    ],
                    "ingress_address": [
                        "type": "boolean", "default": true,
                        "description": "Whether an ingress without an address is not ready.",
                    ],
                ],
            ],
            "on_failure": [
                "type": "string", "enum": ["keep", "unwind"], "default": "keep",
                "description": "Whether what a failed provisioning has made stays, or is removed.",
            ],
            "name": [
                "type": "string", "title": "Name", "pattern": "^[a-z]([-a-z0-9]{0,44}[a-z0-9])?$",
                "description": "Of the shop: its label in the zone. Each service needs one.",
            ],
            "id": [
                "type": "string", "maxLength": 53,
                "description": "Of release and namespace: the name, - and six of a-z and 0-9; without it, one is made.",
            ],
            "email": [
                "type": "string", "title": "E-mail", "maxLength": 254,
                "description": "Of the customer, who becomes the shop's administrator.",
            ],
            "title": ["type": "string", "title": "Title", "maxLength": 200],
            "placement": [
                "type": "object", "additionalProperties": false, "description": "Which cluster's node.",
                "properties": [
                    "strategy": ["type": "string", "enum": ["spread", "pack"], "default": "spread"],
                    "labels": labels,
                ],
            ],
            "labels": labels,
        ],
    ]

    private static let labels: JSONValue = [
        "type": "object", "maxProperties": 64, "additionalProperties": ["type": "string", "maxLength": 63],
    ]

    private static func values(_ description: String) -> JSONValue {
        ["type": "object", "description": .string(description)]
    }

    private static func size(_ description: String, _ standard: Int64) -> JSONValue {
        [
            "type": "integer", "description": .string("\(description) GiB."),
            "minimum": .integer(StoreSpec.gib.lowerBound), "maximum": .integer(StoreSpec.gib.upperBound),
            "default": .integer(standard),
        ]
    }
}

extension StoreSpec {
    /// This specification as a service of another plan has it, then the overrides. What a shop is, where it is and what it is called
    /// stays; claims of a set keep their size, and those of files do not shrink.
    func grown(to plan: JSONObject?, overrides: JSONObject) throws(CoreError) -> StoreSpec {
        var grown = self
        if let plan {
            let new = try StoreSpec(json: plan, under: "plan")
            if let field = fixedField(new) {
                throw .invalid(
                    field: "plan",
                    problem: "names a plan with another \(field), which an upgrade cannot change: order a new service")
            }
            grown = new
            (grown.name, grown.id, grown.email, grown.title) = (name, id, email, title ?? new.title)
            grown.labels = new.labels.merging(labels) { $1 }
        }
        grown = try StoreSpec(json: grown.json.merged(with: overrides), under: "overrides")
        guard grown.filesGiB >= filesGiB else {
            throw .invalid(
                field: plan == nil ? "overrides.files_gib" : "plan",
                problem: "would make the room for files smaller than its \(filesGiB) GiB, and it only grows")
        }
        return grown
    }

    private func fixedField(_ new: StoreSpec) -> String? {
        if new.engine != engine { return "engine" }
        if new.zone != zone { return "zone" }
        if new.databaseGiB != databaseGiB { return "database_gib" }
        if new.backups.sizeGiB < backups.sizeGiB { return "backups.size_gib" }
        return new.nodeLabels != nodeLabels ? "placement.labels" : nil
    }
}
