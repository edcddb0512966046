import ControllerCore
import WireProtocol

extension CloudSite {
    static let specification = Specification(
        schema: schema,
        overridable: [
            "domain", "user", "adopt", "php_version", "app_port", "proxy_url", "databases", "domains", "certificate",
            "analytics", "backups", "addresses", "placement",
        ],
        // These lead into the provider's own machines, or to what is somebody's already.
        reserved: ["adopt", "app_port", "proxy_url", "analytics", "addresses", "placement"],
        upgradable: ["php_version", "databases", "domains", "certificate", "analytics", "backups"],
        read: { fields, path throws(CoreError) in try CloudSiteSpec(json: fields, under: path).json },
        grow: { growth throws(CoreError) in
            try CloudSiteSpec(json: growth.spec).grown(
                from: growth.present, to: growth.plan, overrides: growth.overrides
            ).json
        })

    static let placement = PlacementNeeds { spec throws(CoreError) in try CloudSiteSpec(json: spec).demand }

    private static let schema: JSONObject = [
        "type": "object", "additionalProperties": false,
        "properties": [
            "type": [
                "type": "string", "title": "Type", "default": "static",
                "enum": ["static", "php", "nodejs", "python", "reverse_proxy"],
            ],
            "php_version": version("Of PHP, for php: 8.3."),
            "nodejs_version": version("Of Node.js, for nodejs: 22."),
            "python_version": version("Of Python, for python: 3.11."),
            "template": [
                "type": "string", "title": "Template", "maxLength": 64,
                "description": "A virtual host template of the panel, for php; Generic without it.",
            ],
            "app_port": [
                "type": "integer", "minimum": .integer(CloudSiteSpec.ports.lowerBound),
                "maximum": .integer(CloudSiteSpec.ports.upperBound),
                "description":
                    "Where the program of a nodejs or python site listens; without it, a port that is free on the server.",
            ],
            "proxy_url": [
                "type": "string", "maxLength": 300,
                "description": "Where reverse_proxy leads: a scheme, a host, a colon and a port.",
            ],
            "databases": quota("Databases", "How many databases the site may have."),
            "domains": quota("Domains", "How many domains of the customer's own it may have beside its own."),
            "certificate": [
                "type": "boolean", "title": "Certificate", "default": true,
                "description":
                    "Whether it gets a certificate of Let's Encrypt as soon as its names lead to the server.",
            ],
            "analytics": [
                "type": "string", "description": "The integration that counts its visits; none without it.",
                "pattern": "^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$",
            ],
            "adopt": [
                "type": "string", "enum": ["none", "same_user"], "default": "none",
                "description":
                    "same_user takes a site into care that is on the server already and has the account that the order means. Whoever may order of such a plan gets what is there.",
            ],
            "backups": [
                "type": "object", "additionalProperties": false, "title": "Backups",
                "properties": [
                    "retention": [
                        "type": "integer", "minimum": 0, "maximum": 365, "default": 0,
                        "description": "How many are kept; 0 makes none.",
                    ],
                    "schedule": ["type": "string", "enum": ["none", "daily", "weekly"], "default": "none"],
                ],
            ],
            "addresses": [
                "type": "array", "title": "Public addresses", "maxItems": 8, "items": ["type": "string"],
                "description":
                    "IP addresses under which the world reaches the server; without them, that of its node's label address.",
            ],
            "placement": [
                "type": "object", "additionalProperties": false, "description": "Where sites go.",
                "properties": [
                    "strategy": ["type": "string", "enum": ["spread", "pack"], "default": "spread"],
                    "labels": labels,
                ],
            ],
            "labels": labels,
            "domain": [
                "type": "string", "title": "Domain", "maxLength": 253,
                "description": "The site's own. Each service needs one.",
            ],
            "user": [
                "type": "string", "title": "Account", "pattern": "^[a-z]([a-z0-9_-]{0,30}[a-z0-9_])?$",
                "description":
                    "The site's account on the server; without it, user_ and the letters and digits of the domain.",
            ],
        ],
    ]

    private static let labels: JSONValue = [
        "type": "object", "maxProperties": 64, "additionalProperties": ["type": "string", "maxLength": 63],
    ]

    private static func version(_ description: String) -> JSONValue {
        ["type": "string", "description": .string(description), "pattern": #"^[0-9]{1,2}(\.[0-9]{1,2})?$"#]
    }

    private static func quota(_ title: String, _ description: String) -> JSONValue {
        [
            "type": "integer", "title": .string(title), "description": .string(description), "default": 0,
            "minimum": .integer(CloudSiteSpec.quota.lowerBound), "maximum": .integer(CloudSiteSpec.quota.upperBound),
        ]
    }
}
