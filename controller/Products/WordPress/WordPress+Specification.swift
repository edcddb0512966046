import ControllerCore
import WireProtocol

extension WordPress {
    static let specification = Specification(
        schema: schema,
        overridable: [
            "memory_bytes", "cores", "disk_bytes", "domains", "backups", "email", "title", "addresses", "placement",
            "repair",
        ],
        reserved: ["addresses", "placement"],
        upgradable: ["memory_bytes", "cores", "disk_bytes", "domains", "backups"],
        read: { fields, path throws(CoreError) in try WordPressSpec(json: fields, under: path).json },
        grow: { growth throws(CoreError) in
            try WordPressSpec(json: growth.spec).grown(
                from: growth.present, to: growth.plan, overrides: growth.overrides
            ).json
        })

    static let placement = PlacementNeeds(
        networks: { spec in spec["network"]?.asString.map { [$0] } ?? [] },
        demand: { spec throws(CoreError) in try WordPressSpec(json: spec).demand })

    private static let schema: JSONObject = [
        "type": "object", "additionalProperties": false,
        "required": ["memory_bytes", "cores", "disk_bytes", "template", "network", "zone"],
        "properties": [
            "memory_bytes": amount("Memory", "Bytes, whole MiB.", WordPressSpec.memory),
            "cores": amount("Cores", "Processors that the container sees.", WordPressSpec.coreCount),
            "disk_bytes": amount("Disk", "Bytes of the root disk, whole GiB.", WordPressSpec.disk),
            "domains": [
                "type": "integer", "title": "Domains", "minimum": 0, "maximum": 1000, "default": 0,
                "description": "How many domains of the customer's own the site may have.",
            ],
            "backups": [
                "type": "object", "additionalProperties": false, "title": "Backups",
                "properties": [
                    "retention": [
                        "type": "integer", "minimum": 0, "maximum": 365, "default": 0,
                        "description": "How many are kept; 0 makes none.",
                    ],
                    "schedule": ["type": "string", "enum": ["none", "daily", "weekly"], "default": "none"],
                    "storage": name("The storage of Proxmox that takes them."),
                ],
            ],
            "template": [
                "type": "string", "title": "Template", "description": "What the container is made of.",
                "pattern": #"^[A-Za-z0-9][A-Za-z0-9._-]{1,99}:vztmpl/[A-Za-z0-9._+-]{1,200}$"#,
            ],
            "storage": name("The storage of the root disk; without it, the one with the most room."),
            "network": [
                "type": "string", "title": "Network",
                "description": "A network that gives addresses, as innctl network lists it.",
                "pattern": "^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$",
            ],
            "zone": [
                "type": "string", "title": "Zone", "maxLength": 190,
                "description": "The domain below which sites get their names: sites.example.org.",
            ],
            "dns": integration(
                "The integration that keeps the zone's records; without it, the one that is for the zone."),
            "proxy": integration("The integration that is the proxy; without it, the one that there is."),
            "zones": integration(
                "The integration that makes zones of customers' domains; without it, the one that there is."),
            "addresses": [
                "type": "array", "title": "Public addresses", "maxItems": 8, "items": ["type": "string"],
                "description": "IP addresses that names lead to; without them, those of the proxy.",
            ],
            "ha": [
                "type": "string", "title": "High availability", "enum": ["auto", "on", "off"], "default": "auto",
                "description":
                    "auto: where the cluster has at least three votes and the root disk is on shared storage.",
            ],
            "features": [
                "type": "object", "additionalProperties": false, "title": "Features",
                "description": "What the container's kernel lets it do.",
                "properties": [
                    "nesting": ["type": "boolean", "default": true],
                    "keyctl": ["type": "boolean", "default": false], "fuse": ["type": "boolean", "default": false],
                ],
            ],
            "snapshot": [
                "type": "string", "title": "First snapshot", "default": "initial", "pattern": snapshotPattern,
                "description": "What the snapshot after the installation is called.",
            ],
            "setup": setup,
            "email": [
                "type": "string", "title": "E-mail", "maxLength": 254,
                "description":
                    "Of the customer, who becomes the site's administrator; the site is named after it. Each service needs one.",
            ],
            "title": [
                "type": "string", "title": "Title", "maxLength": 200,
                "description": "The site's title; without it, its name.",
            ],
            "placement": [
                "type": "object", "additionalProperties": false, "description": "Where services go.",
                "properties": [
                    "strategy": ["type": "string", "enum": ["spread", "pack"], "default": "spread"],
                    "labels": labels,
                ],
            ],
            "labels": labels,
            "repair": [
                "type": "boolean", "default": false,
                "description": "Whether a site that is found stopped is started again without being asked.",
            ],
        ],
    ]

    static let snapshotPattern: JSONValue = "^(?!(current|vzdump)$)[A-Za-z][A-Za-z0-9_-]{1,39}$"

    private static let labels: JSONValue = [
        "type": "object", "maxProperties": 64, "additionalProperties": ["type": "string", "maxLength": 63],
    ]

    private static let setup: JSONValue = [
        "type": "object", "additionalProperties": false, "title": "Installation",
        "description": "What the recipe is told.",
        "properties": [
            "proxies": [
                "type": "array", "maxItems": 32, "items": ["type": "string"],
                "description": "Addresses and ranges of the proxy, as the container sees them.",
            ],
            "upload_mib": [
                "type": "integer", "minimum": 1, "maximum": 4096,
                "description": "The largest file that can be uploaded.",
            ],
            "locale": ["type": "string", "maxLength": 64],
            "archive": [
                "type": "string", "maxLength": 1024,
                "description": "A mirror of WordPress's archive; needs archive_sha256.",
            ],
            "archive_sha256": ["type": "string", "pattern": "^[0-9a-f]{64}$"],
        ],
    ]

    private static func name(_ description: String) -> JSONValue {
        [
            "type": "string", "description": .string(description),
            "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{1,99}$",
        ]
    }

    private static func integration(_ description: String) -> JSONValue {
        [
            "type": "string", "description": .string(description),
            "pattern": "^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$",
        ]
    }

    private static func amount(_ title: String, _ description: String, _ range: ClosedRange<Int64>) -> JSONValue {
        [
            "type": "integer", "title": .string(title), "description": .string(description),
            "minimum": .integer(range.lowerBound), "maximum": .integer(range.upperBound),
        ]
    }
}
