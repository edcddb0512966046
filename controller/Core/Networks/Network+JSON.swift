import Model
import Placement
import WireProtocol

extension Network {
    private static let keys: Set<String> = [
        "kind", "interface", "vlan", "mtu", "subnets", "resolvers", "mac_prefix", "nodes", "node_labels", "per_node",
    ]

    /// Reads and checks a specification. The error's field is a path below `spec`.
    init(name: String, json: JSONObject) throws(CoreError) {
        do {
            self = try Self.read(name, json)
            try check()
        } catch let error as FieldError {
            let field = error.under("spec")
            throw .invalid(field: field.path, problem: field.sentence)
        } catch let error as GrammarError {
            throw .invalid(field: "spec.\(error.field)", problem: "must be \(error.expectation)")
        } catch let error as NetworkProblem {
            throw .invalid(field: "spec.\(error.field)", problem: error.problem)
        } catch {
            throw .invalid(field: "spec", problem: "\(error)")
        }
    }

    private static func read(_ name: String, _ json: JSONObject) throws -> Network {
        try json.allowOnly(keys)
        guard let kind = Kind(rawValue: try json.string("kind")) else {
            throw FieldError(path: "kind", problem: .value(expected: "bridge or docker"))
        }
        let interface = try json.string("interface")
        try (kind == .bridge ? Grammar.bridgeName : .containerName).check(interface, field: "interface")
        return Network(
            name: name, kind: kind, interface: interface,
            vlan: try json.optionalInteger("vlan", in: 1...4094),
            mtu: try json.optionalInteger("mtu", in: 576...65_535),
            subnets: try subnets(json), resolvers: try json.each("resolvers", "an address") { IPAddress($0) },
            macPrefix: try json.optional("mac_prefix", Self.macForm) { MACPrefix($0) } ?? .standard,
            nodes: try json.optionalStrings("nodes", limit: 10_000) ?? [],
            labels: try nodeLabels(json),
            isPerNode: try json.optionalBool("per_node") ?? false)
    }

    private static let macForm = "three bytes such as 02:69:6e, locally administered and no group"

    private static func subnets(_ json: JSONObject) throws -> [Subnet] {
        guard let items = json["subnets"], items != .null else { return [] }
        guard let list = items.asArray else { throw FieldError(path: "subnets", problem: .type(expected: "a list")) }
        return try list.enumerated().map { index, item in
            let path = "subnets[\(index)]"
            guard let object = item.asObject else {
                throw FieldError(path: path, problem: .type(expected: "an object"))
            }
            do throws(FieldError) { return try Subnet(object) } catch { throw error.under(path) }
        }
    }

    private static func nodeLabels(_ json: JSONObject) throws -> [String: String] {
        var labels: [String: String] = [:]
        let object = try json.optionalObject("node_labels") ?? [:]
        guard object.count <= 64 else { throw FieldError(path: "node_labels", problem: .tooMany(limit: 64)) }
        for member in object.members {
            try Grammar.labelKey.check(member.key, field: "node_labels.\(member.key.prefix(64))")
            guard let value = member.value.asString else {
                throw FieldError(path: "node_labels.\(member.key)", problem: .type(expected: "a string"))
            }
            try Grammar.labelValue.check(value, field: "node_labels.\(member.key)")
            labels[member.key] = value
        }
        return labels
    }

    /// As it is kept; what stands in it as it would by default is left out.
    var json: JSONObject {
        var json: JSONObject = ["kind": .string(kind.rawValue), "interface": .string(interface)]
        json["vlan"] = vlan.map { .integer($0) }
        json["mtu"] = mtu.map { .integer($0) }
        json["subnets"] = subnets.isEmpty ? nil : .array(subnets.map { .object($0.json) })
        json["resolvers"] = .texts(resolvers)
        json["mac_prefix"] = macPrefix == .standard ? nil : .string("\(macPrefix)")
        json["nodes"] = .texts(nodes)
        json["node_labels"] =
            labels.isEmpty
            ? nil : .object(JSONObject(labels.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))
        json["per_node"] = isPerNode ? true : nil
        return json
    }
}

extension Subnet {
    fileprivate init(_ json: JSONObject) throws(FieldError) {
        try json.allowOnly(["prefix", "gateway", "ranges", "exclude"])
        guard let prefix = IPPrefix(try json.string("prefix")) else {
            throw FieldError(
                path: "prefix",
                problem: .value(expected: "a network such as 192.0.2.0/24 or 2001:db8::/64, its host bits zero"))
        }
        let range = "addresses such as 192.0.2.10-192.0.2.200"
        self.init(
            prefix: prefix, gateway: try json.optional("gateway", "an address") { IPAddress($0) },
            ranges: try json.each("ranges", range) { IPRange($0) },
            excluded: try json.each("exclude", range) { IPRange($0) })
    }

    fileprivate var json: JSONObject {
        var json: JSONObject = ["prefix": .string("\(prefix)")]
        json["gateway"] = gateway.map { .string("\($0)") }
        json["ranges"] = .texts(ranges)
        json["exclude"] = .texts(excluded)
        return json
    }
}

extension JSONObject {
    fileprivate func optional<Value>(
        _ key: String, _ expected: String, _ read: (String) -> Value?
    ) throws(FieldError) -> Value? {
        guard let text = try optionalString(key) else { return nil }
        guard let value = read(text) else { throw FieldError(path: key, problem: .value(expected: expected)) }
        return value
    }

    fileprivate func each<Value>(
        _ key: String, _ expected: String, _ read: (String) -> Value?
    ) throws(FieldError) -> [Value] {
        var values: [Value] = []
        for (index, text) in (try optionalStrings(key, limit: 1000) ?? []).enumerated() {
            guard let value = read(text) else {
                throw FieldError(path: "\(key)[\(index)]", problem: .value(expected: expected))
            }
            values.append(value)
        }
        return values
    }
}

extension JSONValue {
    /// Nil for none.
    fileprivate static func texts(_ values: [some CustomStringConvertible]) -> JSONValue? {
        values.isEmpty ? nil : .array(values.map { .string("\($0)") })
    }
}
