package import ControllerCore
import Model
import Placement
package import WireProtocol

extension ContainerSpec {
    private static let keys: Set<String> = [
        "driver", "image", "image_tar", "command", "env", "memory_bytes", "cpu_millis", "disk_bytes", "network",
        "mount_path", "pool", "placement", "labels", "repair", "ports",
    ]

    /// Reads and checks a specification. The error's field is a path below `under`.
    package init(json: JSONObject, under path: String = "spec") throws(CoreError) {
        do {
            self = try Self.read(json)
        } catch let error as FieldError {
            let field = error.under(path)
            throw .invalid(field: field.path, problem: field.sentence)
        } catch let error as GrammarError {
            throw .invalid(field: "\(path).\(error.field)", problem: "must be \(error.expectation)")
        } catch {
            throw .invalid(field: path, problem: "\(error)")
        }
    }

    /// This specification with single values replaced; `env` and `placement` are merged key by key.
    func overridden(by overrides: JSONObject) throws(CoreError) -> ContainerSpec {
        try ContainerSpec(json: json.merged(with: overrides), under: "overrides")
    }

    private static func read(_ json: JSONObject) throws -> ContainerSpec {
        try json.allowOnly(keys)
        if let driver = try json.optionalString("driver"), driver != "docker" {
            throw FieldError(path: "driver", problem: .value(expected: "docker"))
        }
        let placement = try json.optionalObject("placement") ?? [:]
        do throws(FieldError) { try placement.allowOnly(["strategy", "labels"]) } catch {
            throw error.under("placement")
        }
        return ContainerSpec(
            image: try text(json, "image", .imageReference),
            imageTar: try optionalText(json, "image_tar", .absolutePath),
            command: try commandLine(json),
            environment: try environment(json),
            memoryBytes: try json.integer("memory_bytes", in: memory),
            cpuMillis: try json.integer("cpu_millis", in: cpu),
            diskBytes: try json.integer("disk_bytes", in: disk),
            network: try optionalText(json, "network", .containerName) ?? "none",
            ports: try ports(json),
            mountPath: try mountPath(json),
            pool: try optionalText(json, "pool", .poolName),
            strategy: try strategy(placement),
            nodeLabels: try labels(placement, "labels", path: "placement.labels"),
            labels: try labels(json, "labels", path: "labels"),
            repairs: try json.optionalBool("repair") ?? false)
    }

    private static func text(_ json: JSONObject, _ key: String, _ grammar: Grammar) throws -> String {
        let text = try json.string(key)
        try grammar.check(text, field: key)
        return text
    }

    private static func optionalText(_ json: JSONObject, _ key: String, _ grammar: Grammar) throws -> String? {
        json[key] == nil ? nil : try text(json, key, grammar)
    }

    private static func ports(_ json: JSONObject) throws -> [PortSpec] {
        let wishes = try PortSpec.list(json, "ports")
        let network = try json.optionalString("network") ?? "none"
        guard wishes.isEmpty || !["none", "host"].contains(network) else {
            throw FieldError(path: "ports", problem: .value(expected: "absent on network \(network)"))
        }
        return wishes
    }

    private static func mountPath(_ json: JSONObject) throws -> String {
        let path = try optionalText(json, "mount_path", .absolutePath) ?? "/data"
        guard path != "/" else { throw FieldError(path: "mount_path", problem: .value(expected: "below /")) }
        return path
    }

    private static func strategy(_ placement: JSONObject) throws -> PlacementStrategy {
        guard let word = try placement.optionalString("strategy") else { return .spread }
        guard let strategy = PlacementStrategy(rawValue: word) else {
            throw FieldError(path: "placement.strategy", problem: .value(expected: "spread or pack"))
        }
        return strategy
    }

    private static func commandLine(_ json: JSONObject) throws -> [String] {
        let words = try json.optionalStrings("command", limit: 256) ?? []
        for (index, word) in words.enumerated() where word.utf8.count > 4096 || word.utf8.contains(0) {
            throw FieldError(
                path: "command[\(index)]", problem: .value(expected: "at most 4096 bytes without a zero byte"))
        }
        return words
    }

    private static func environment(_ json: JSONObject) throws -> [String: String] {
        try strings(json, "env", path: "env", limit: 256) { key, value in
            try Grammar.environmentName.check(key, field: "env.\(key.prefix(64))")
            guard value.utf8.count <= 32_768, !value.utf8.contains(0) else {
                throw FieldError(
                    path: "env.\(key)", problem: .value(expected: "at most 32768 bytes without a zero byte"))
            }
        }
    }

    private static func labels(_ json: JSONObject, _ key: String, path: String) throws -> [String: String] {
        try strings(json, key, path: path, limit: 64) { name, value in
            try Grammar.labelKey.check(name, field: "\(path).\(name.prefix(64))")
            try Grammar.labelValue.check(value, field: "\(path).\(name)")
        }
    }

    private static func strings(
        _ json: JSONObject, _ key: String, path: String, limit: Int, check: (String, String) throws -> Void
    ) throws -> [String: String] {
        guard let object = try json.optionalObject(key) else { return [:] }
        guard object.count <= limit else { throw FieldError(path: path, problem: .tooMany(limit: limit)) }
        var result: [String: String] = [:]
        for member in object.members {
            guard let value = member.value.asString else {
                throw FieldError(path: "\(path).\(member.key)", problem: .type(expected: "a string"))
            }
            try check(member.key, value)
            result[member.key] = value
        }
        return result
    }
}
