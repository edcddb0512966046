import APIModels
import ControllerCore
import HTTP
import WireProtocol

/// What the fields of a model may be beyond their types. The checks themselves are the core's and the endpoints'; a test holds
/// the two together by asking for what lies just inside and just outside of each bound.
protocol Ruled: CheckedBody {
    /// By field, members of its JSON Schema.
    static var rules: [String: JSONObject] { get }
    /// Members of the schema of the whole.
    static var whole: JSONObject { get }
    /// By field, what is free text; checked where bodies come in.
    static var texts: [String: FreeText] { get }
}

extension Ruled {
    static var rules: [String: JSONObject] { [:] }
    static var whole: JSONObject { [:] }
    static var texts: [String: FreeText] { [:] }
    /// The rules, with those of the free texts.
    static var fields: [String: JSONObject] { rules.merging(texts.mapValues(\.schema)) { $1 } }
}

/// The grammars of the core as patterns.
enum Rules {
    private static let labelPart = "[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?"
    static let labelKey = "^(?=.{1,63}$)\(labelPart)(/\(labelPart))*$"
    static let labelValue = "^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$"
    static let planName: JSONObject = pattern("^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$")
    static let externalID: JSONObject = pattern("^[!-~]{1,128}$")
    static let labels: JSONObject = [
        "maxProperties": 64, "propertyNames": .object(pattern(labelKey)),
        "additionalProperties": .object(pattern(labelValue)),
    ]
    static func pattern(_ pattern: String, _ more: JSONObject = [:]) -> JSONObject {
        var rule = more
        rule["pattern"] = .string(pattern)
        return rule
    }

    static func range(_ range: ClosedRange<Int64>) -> JSONObject {
        ["minimum": .integer(range.lowerBound), "maximum": .integer(range.upperBound)]
    }
}

extension JoinTokenRequest: Ruled {
    static var rules: [String: JSONObject] {
        [
            "uses": Rules.range(1...10_000), "expires_in_seconds": Rules.range(60...365 * 86400),
            "labels": Rules.labels,
        ]
    }
}

extension APIKeyRequest: Ruled {
    static var rules: [String: JSONObject] {
        [
            "scopes": ["minItems": 1], "expires_in_seconds": Rules.range(60...100 * 365 * 86400),
            "customer": Rules.externalID,
        ]
    }
    static var texts: [String: FreeText] { ["name": FreeText(length: 1...100)] }
}

extension LabelsRequest: Ruled {
    static var rules: [String: JSONObject] { ["labels": Rules.labels] }
}

extension LabelsPatch: Ruled {
    static var rules: [String: JSONObject] { ["labels": Rules.labels] }
}

extension ReasonRequest: Ruled {
    static var texts: [String: FreeText] { ["reason": FreeText(length: 0...500)] }
}

extension NoteRequest: Ruled {
    static var texts: [String: FreeText] { ["note": FreeText(length: 0...1000, hasLines: true)] }
}

extension OperationResolution: Ruled {
    static var texts: [String: FreeText] { ["note": FreeText(length: 1...1000, hasLines: true)] }
}

extension PlanRequest: Ruled {
    static var rules: [String: JSONObject] { ["name": Rules.planName] }
}

extension NetworkRequest: Ruled {
    static var rules: [String: JSONObject] { ["name": Rules.planName] }
}

extension IntegrationRequest: Ruled {
    static var rules: [String: JSONObject] { ["name": Rules.planName] }
}

extension QueueRequest: Ruled {
    static var rules: [String: JSONObject] { ["name": Rules.planName, "settings": QueueSettings.schema] }
}

extension QueueChange: Ruled {
    static var rules: [String: JSONObject] { ["settings": QueueSettings.schema] }
}

extension WebhookRequest: Ruled {
    static var rules: [String: JSONObject] {
        ["url": Rules.pattern("^https?://[!-~]{1,2040}$"), "customer": Rules.externalID, "events": ["maxItems": 32]]
    }
    static var texts: [String: FreeText] { ["name": FreeText(length: 1...100)] }
}

extension WebhookChange: Ruled {
    static var rules: [String: JSONObject] {
        ["url": Rules.pattern("^https?://[!-~]{1,2040}$"), "events": ["maxItems": 32]]
    }
    static var texts: [String: FreeText] { ["name": FreeText(length: 1...100)] }
}

extension NetworkBody: Ruled {
    static var rules: [String: JSONObject] {
        [
            "interface": Rules.pattern("^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$"), "vlan": Rules.range(1...4094),
            "mtu": Rules.range(576...65_535), "subnets": ["maxItems": 64], "resolvers": ["maxItems": 8],
            "mac_prefix": Rules.pattern("^[0-9A-Fa-f][26AEae](:[0-9A-Fa-f]{2}){2}$"), "nodes": ["maxItems": 10_000],
            "node_labels": Rules.labels,
        ]
    }
}

extension SubnetBody: Ruled {
    static var rules: [String: JSONObject] { ["ranges": ["maxItems": 1000], "exclude": ["maxItems": 1000]] }
}

extension WithholdRequest: Ruled {
    static var rules: [String: JSONObject] {
        [
            "kind": Rules.pattern("^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$"), "scope": ["maxLength": 256],
            "value": Rules.pattern("^[!-~]{1,256}$"), "note": ["maxLength": 500],
        ]
    }
}

extension VerbBody: Ruled {
    static var rules: [String: JSONObject] { ["reason": ["maxLength": 500]] }
}

extension ServiceBody: Ruled {
    static var rules: [String: JSONObject] {
        [
            "external_id": Rules.externalID, "customer": Rules.externalID, "plan": Rules.planName,
            "labels": Rules.labels,
        ]
    }
}

extension RestoreBody: Ruled {
    static var texts: [String: FreeText] { ["reason": FreeText(length: 0...500)] }
}

extension RestoreTarget: Ruled {
    static var rules: [String: JSONObject] {
        ["external_id": Rules.externalID, "customer": Rules.externalID, "plan": Rules.planName]
    }
}

extension UpgradeBody: Ruled {
    static var rules: [String: JSONObject] { ["plan": Rules.planName] }
    static var whole: JSONObject {
        [
            "anyOf": [
                ["required": ["plan"], "properties": ["plan": ["type": "string"]]],
                ["required": ["overrides"], "properties": ["overrides": ["type": "object", "minProperties": 1]]],
            ]
        ]
    }
}

extension CommandBody: Ruled {
    static var rules: [String: JSONObject] {
        [
            "operation": Rules.pattern(
                #"^[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9][A-Za-z0-9_-]*)+$"#, ["maxLength": 128]),
            "arguments": ["type": "object"], "secrets": ["type": "object"],
            "deadline_seconds": Rules.range(1...86400),
        ]
    }
    static var texts: [String: FreeText] { ["resource": FreeText(length: 1...512)] }
}

extension TransferBody: Ruled {
    static var rules: [String: JSONObject] { ["deadline_seconds": Rules.range(1...86400)] }
}

extension InputBody: Ruled {
    static var rules: [String: JSONObject] {
        [
            "text": ["maxLength": 32768], "base64": ["contentEncoding": "base64"],
            "offset": ["minimum": 0], "rows": Rules.range(1...10_000), "columns": Rules.range(1...10_000),
        ]
    }
    /// Rows and columns come together, text and bytes do not.
    static var whole: JSONObject {
        let none: JSONValue = ["type": "null"]
        let number: JSONValue = ["type": "integer"]
        return [
            "allOf": [
                [
                    "anyOf": [
                        ["required": ["rows", "columns"], "properties": ["rows": number, "columns": number]],
                        ["properties": ["rows": none, "columns": none]],
                    ]
                ],
                ["anyOf": [["properties": ["text": none]], ["properties": ["base64": none]]]],
            ]
        ]
    }
}
