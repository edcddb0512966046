import ControllerCore
import WireProtocol

extension Container {
    static let specification = Specification(
        schema: schema,
        overridable: ["memory_bytes", "cpu_millis", "disk_bytes", "command", "env", "placement", "repair"],
        upgradable: ["memory_bytes", "cpu_millis", "disk_bytes"], secrets: ["env"],
        read: { fields, path throws(CoreError) in try ContainerSpec(json: fields, under: path).json },
        grow: { growth throws(CoreError) in
            try ContainerSpec(json: growth.spec).grown(
                from: growth.present, to: growth.plan, overrides: growth.overrides
            ).json
        })

    private static let labelPart = "[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?"
    private static let labels: JSONValue = [
        "type": "object", "maxProperties": 64,
        "propertyNames": ["pattern": .string("^(?=.{1,63}$)\(labelPart)(/\(labelPart))*$")],
        "additionalProperties": [
            "type": "string", "pattern": "^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$",
        ],
    ]
    private static let noZero = #"^[^\u0000]*$"#
    private static let host = "[A-Za-z0-9]+(-+[A-Za-z0-9]+)*"
    private static let part = #"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*"#
    private static let image =
        #"^((\#(host)(\.\#(host))+|(\#(host)|localhost)(?=[:/]))(:[1-9][0-9]{0,4})?/)?\#(part)(/\#(part))*"#
        + "(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?$"

    private static let schema: JSONObject = [
        "type": "object", "additionalProperties": false,
        "required": ["image", "memory_bytes", "cpu_millis", "disk_bytes"],
        "properties": [
            "driver": ["type": "string", "enum": ["docker"], "default": "docker"],
            "image": [
                "type": "string", "title": "Image", "description": "The container's image.", "maxLength": 255,
                "pattern": .string(image),
            ],
            "image_tar": path("A tar file on the node from which the image is imported when it is missing there."),
            "command": [
                "type": "array", "title": "Command", "description": "Words; the image's own when there are none.",
                "maxItems": 256, "items": ["type": "string", "maxLength": 4096, "pattern": .string(noZero)],
            ],
            "env": [
                "type": "object", "title": "Variables",
                "description":
                    "The container's variables. Their values are never shown: in an answer each is `********`, and that sent back keeps the value that is there.",
                "maxProperties": 256, "propertyNames": ["pattern": "^[A-Za-z_][A-Za-z0-9_]{0,127}$"],
                "additionalProperties": [
                    "type": "string", "maxLength": 32_768, "pattern": .string(noZero), "writeOnly": true,
                ],
            ],
            "memory_bytes": amount("Memory", "Bytes.", ContainerSpec.memory),
            "cpu_millis": amount("Processor", "Thousandths of a core.", ContainerSpec.cpu),
            "disk_bytes": amount("Disk", "Bytes, the quota of the data set.", ContainerSpec.disk),
            "network": [
                "type": "string", "default": "none", "pattern": "^[A-Za-z0-9][A-Za-z0-9_.-]{1,127}$",
                "description": "`none`, `host`, `bridge` or the name of a network.",
            ],
            "ports": [
                "type": "array", "title": "Ports", "maxItems": 16,
                "description":
                    "Ports of the container that can be reached from outside it; which ports of the node they are is allocated. Needs a network other than `none` and `host`.",
                "items": [
                    "type": "object", "additionalProperties": false, "required": ["container"],
                    "properties": [
                        "container": ["type": "integer", "minimum": 1, "maximum": 65_535],
                        "protocol": ["type": "string", "enum": ["tcp", "udp"], "default": "tcp"],
                        "address": [
                            "type": "string", "description": "An address of the node; without it, its loopback alone.",
                        ],
                    ],
                ],
            ],
            "mount_path": path("Where the data set is mounted in the container; `/data` by default."),
            "pool": [
                "type": "string", "pattern": "^(?!log$|mirror|raidz|draid|spare)[A-Za-z][A-Za-z0-9_.:-]{0,62}$",
                "description": "The pool to use; without it, the node's pool with the most room.",
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
                "description":
                    "Whether a container that is found stopped or missing is brought back without being asked.",
            ],
        ],
    ]

    private static func path(_ description: String) -> JSONValue {
        [
            "type": "string", "description": .string(description), "maxLength": 4095,
            "pattern": #"^(/(?!\.{1,2}(/|$))[^/\u0000-\u001f\u007f]+)+$"#,
        ]
    }

    private static func amount(_ title: String, _ description: String, _ range: ClosedRange<Int64>) -> JSONValue {
        [
            "type": "integer", "title": .string(title), "description": .string(description),
            "minimum": .integer(range.lowerBound), "maximum": .integer(range.upperBound),
        ]
    }
}
