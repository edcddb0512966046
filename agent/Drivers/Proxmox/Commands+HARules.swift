import DriverKit
import Model
import WireProtocol

/// Rules of the HA manager since version 9: where containers should run, and whether together or apart.
extension ProxmoxDriver {
    static let ruleActions: [Action<ProxmoxDriver>] = [
        Action(ActionSpec("ha.rule.list", .observe, summary: "lists the rules of the HA manager")) {
            (driver, call, _) throws(DriverError) in try await driver.listRules(call)
        },
        Action(ActionSpec("ha.rule.ensure", .mutate, summary: "makes a rule of the HA manager be there")) {
            (driver, call, _) throws(DriverError) in try await driver.ensureRule(call)
        },
        Action(ActionSpec("ha.rule.destroy", .mutate, summary: "removes a rule of the HA manager")) {
            (driver, call, _) throws(DriverError) in try await driver.destroyRule(call)
        },
    ]

    private func listRules(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        try ArgumentReader(call.arguments).finish()
        let found = try await highAvailability()
        let sections = hasGroups ? found.groups.sections : found.rules.sections
        return .seen(["rules": .array(sections.map { .object($0.json) })])
    }

    private func ensureRule(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        let rule = try HARule(call)
        try checkRules()
        let found = try await highAvailability()
        if let stranger = rule.containers.first(where: { found.resource($0) == nil }) {
            throw DriverError(.conflict, "the HA manager does not look after container \(stranger)")
        }
        let changed = try await ensure(rule, found)
        return ActionOutcome(changed: changed, observed: try await highAvailability().rules[rule.name]?.json ?? [:])
    }

    private func destroyRule(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let name = try reader.rule(of: call)
        try reader.finish()
        try checkRules()
        let isThere = try await highAvailability().rules[name] != nil
        if isThere {
            var failure: DriverError?
            do throws(DriverError) { try await tools.act(.haManager, ["rules", "remove", name]) } catch {
                failure = error
            }
            guard try await highAvailability().rules[name] == nil else {
                throw failure ?? DriverError(.failed, "rule \(name) is still there")
            }
        }
        return ActionOutcome(changed: isThere, observed: ["rule": .string(name), "present": false])
    }

    private func checkRules() throws(DriverError) {
        if hasGroups { throw DriverError(.unsupported, "Proxmox VE \(version) has groups and no rules") }
    }

    /// Makes a rule be so; true when it was not.
    func ensure(_ rule: HARule, _ files: HAFiles) async throws(DriverError) -> Bool {
        let old = files.rules[rule.name]
        if let old, rule.isMet(by: old) { return false }
        if let old, old.kind != rule.kind.word {
            throw DriverError(.conflict, "rule \(rule.name) is of another kind: \(old.kind)")
        }
        let verb = old == nil ? "add" : "set"
        // One that is off is switched on by taking the key away, and by no value of it.
        let words = rule.words + (old?.values["disable"] == nil ? [] : ["--delete", "disable"])
        var failure: DriverError?
        do throws(DriverError) { try await tools.act(.haManager, ["rules", verb] + words) } catch {
            failure = error
        }
        guard let end = try await highAvailability().rules[rule.name], rule.isMet(by: end) else {
            throw failure ?? DriverError(.failed, "the HA manager did not take rule \(rule.name)")
        }
        return true
    }
}

/// A rule of the HA manager.
struct HARule: Sendable {
    enum Kind: Sendable {
        /// `n1:2,n2`: names with priorities; strictly there, or preferably.
        case nodes(String, isStrict: Bool)
        case together
        case apart

        var word: String {
            if case .nodes = self { "node-affinity" } else { "resource-affinity" }
        }
    }

    let name: String
    let kind: Kind
    let containers: [Int]

    init(name: String, kind: Kind, containers: [Int]) {
        (self.name, self.kind, self.containers) = (name, kind, containers.sorted())
    }

    init(_ call: ActionCall) throws(DriverError) {
        var reader = ArgumentReader(call.arguments)
        name = try reader.rule(of: call)
        let wanted = try reader.string("kind")
        let found = reader.value("containers")?.asArray?.compactMap { $0.asInteger.map { Int($0) } } ?? []
        guard Set(found).count == found.count else { throw .invalidArgument("containers", "names one of them twice") }
        containers = found.sorted()
        let places = try Self.nodes(&reader)
        let isStrict = try reader.bool("strict")
        try reader.finish()
        switch wanted {
        case "nodes":
            guard let places else { throw .invalidArgument("nodes", "is missing") }
            kind = .nodes(Self.text(places), isStrict: isStrict)
        case "together": kind = .together
        default: kind = .apart
        }
        if wanted != "nodes", places != nil || isStrict { throw .invalidArgument("nodes", "goes with kind nodes only") }
        guard containers.count >= (wanted == "nodes" ? 1 : 2) else {
            throw .invalidArgument("containers", "must name \(wanted == "nodes" ? "one" : "two") or more")
        }
    }

    /// Reads `[{"node": "n1", "priority": 2}, …]`.
    static func nodes(_ reader: inout ArgumentReader) throws(DriverError) -> [(name: String, priority: Int64?)]? {
        guard let objects = try reader.objects("nodes") else { return nil }
        var found: [(String, Int64?)] = []
        for object in objects {
            var inner = ArgumentReader(object)
            found.append((try inner.string("node"), try inner.optionalInteger("priority")))
            try inner.finish()
        }
        guard !found.isEmpty, Set(found.map(\.0)).count == found.count else {
            throw .invalidArgument("nodes", "must name nodes, each once")
        }
        return found
    }

    static func text(_ nodes: [(name: String, priority: Int64?)]) -> String {
        nodes.map { node in node.priority.map { "\(node.name):\($0)" } ?? node.name }.sorted().joined(separator: ",")
    }

    private var resources: [String] { containers.map { "ct:\($0)" } }

    var words: [String] {
        let head = [kind.word, name, "--resources", resources.joined(separator: ",")]
        return switch kind {
        case .nodes(let nodes, let isStrict): head + ["--nodes", nodes, "--strict", isStrict ? "1" : "0"]
        case .together: head + ["--affinity", "positive"]
        case .apart: head + ["--affinity", "negative"]
        }
    }

    func isMet(by section: SectionFile.Section) -> Bool {
        // The manager does not care what the key says: a rule that has it is off.
        guard section.kind == kind.word, section.values["disable"] == nil,
            Set(section.list("resources")) == Set(resources)
        else { return false }
        return switch kind {
        case .nodes(let nodes, let isStrict):
            section.list("nodes").sorted().joined(separator: ",") == nodes
                && section.isOn("strict") == isStrict
        case .together: section.values["affinity"] == "positive"
        case .apart: section.values["affinity"] == "negative"
        }
    }
}

extension SectionFile.Section {
    var json: JSONObject {
        var json: JSONObject = ["rule": .string(name), "kind": .string(kind)]
        for key in ["resources", "nodes"] where values[key] != nil { json[key] = .array(list(key).map { .string($0) }) }
        for key in ["strict", "affinity", "disable", "restricted"] { json[key] = values[key].map { .string($0) } }
        return json
    }
}

extension ArgumentReader {
    /// The rule that the call changes: the one that its resource names.
    fileprivate mutating func rule(of call: ActionCall) throws(DriverError) -> String {
        let name = try string("rule")
        guard call.resource == "proxmox/ha/\(name)" else {
            throw DriverError(.invalidArgument, "rule \(name) is not what the call's resource \(call.resource) names")
        }
        return name
    }
}
