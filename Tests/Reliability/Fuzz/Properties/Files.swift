import Model
import Placement
import WireProtocol

@testable import AgentCore
@testable import ContainerProduct
import ControllerCore
@testable import DaemonKit
@testable import innkeeper_agent
@testable import innkeeper_controller

/// Files and objects that people write: settings of both daemons, the policy, specifications of plans. A mistake is
/// refused with the file's and the field's name.
enum Files {
    static let targets = [
        FuzzTarget("agent-config") { input in
            let made = try read(input, AgentConfiguration.keys, AgentConfiguration.init(reading:))
            guard let made else { return }
            let bytes = 1 << 20...1 << 40
            try require(
                bytes.contains(made.settings.spoolBytes)
                    || made.settings.spoolBytes == AgentConfiguration().settings.spoolBytes, "a spool beyond its bounds"
            )
        },
        FuzzTarget("policy") { input in
            guard let policy = try read(input, Policy.keys, Policy.init(reading:)) else { return }
            for operation in ["docker.container.ensure", "docker.container.exec", "zfs.dataset.destroy", ""] {
                for resource in ["docker/svc-1", "zfs/tank/a", "host"] { try judged(policy, operation, resource) }
            }
        },
        FuzzTarget("controller-config") { input in
            guard let made = try read(input, ServeConfiguration.keys, ServeConfiguration.make) else { return }
            try require((0...65_535).contains(made.api.port) && (1...64).contains(made.eventLoops), "beyond its bounds")
            try require((0.1...100).contains(made.placement.cpuOvercommit), "an odd over-commit")
        },
        FuzzTarget("plan-spec") { input in
            guard let json = try? JSONParser.parse(input).asObject else { return }
            guard let spec = try specified({ () throws(CoreError) in try ContainerSpec(json: json) }, under: "spec")
            else {
                return
            }
            try require(try ContainerSpec(json: spec.json) == spec, "a specification reads back as another")
            try require(try spec.overridden(by: [:]) == spec, "overriding nothing changes something")
            if let overrides = json["placement"]?.asObject {
                _ = try specified({ () throws(CoreError) in try spec.overridden(by: overrides) }, under: "overrides")
            }
        },
    ]

    private static func read<Value>(
        _ input: UnsafeRawBufferPointer, _ keys: Set<String>, _ make: (JSONObject) throws(FieldError) -> Value
    ) throws -> Value? {
        do { return try ConfigurationFile.parse(Array(input), named: "settings.json", keys: keys, make) } catch {
            try require(error.message.hasPrefix("settings.json: "), "the error names no file: \(error)")
            try require(error.message.utf8.count > "settings.json: ".utf8.count, "the error says nothing")
            return nil
        }
    }

    /// A rule that denies wins; what no rule allows is denied. The patterns are matched another way here.
    private static func judged(_ policy: Policy, _ operation: String, _ resource: String) throws {
        func covers(_ rule: Policy.Rule) -> Bool {
            fits(rule.operation.text, operation) && fits(rule.resource.text, resource)
        }
        let allowed = policy.allow.contains(where: covers) && !policy.deny.contains(where: covers)
        try require(
            (policy.denial(of: operation, on: resource) == nil) == allowed, "\(operation) on \(resource) is misjudged")
        try require(!allowed || policy.mayAllow(operation), "what is allowed may not be")
        // What is as good as a shell needs a rule that spells it, its last word at least.
        let spelled = policy.allow.contains { rule in
            covers(rule) && lastWord(rule.operation.text) == lastWord(operation) && !lastWord(operation).isEmpty
        }
        try require(
            (policy.denial(of: operation, on: resource, guarded: true) == nil) == (allowed && spelled),
            "\(operation) on \(resource) is misjudged where it is guarded")
    }

    private static func lastWord(_ text: String) -> [UInt8] {
        Array(text.utf8.reversed().prefix { $0 != UInt8(ascii: ".") }.reversed())
    }

    /// By table: whether the first `n` bytes of the pattern fit the first `m` of the name.
    private static func fits(_ pattern: String, _ name: String) -> Bool {
        let name = Array(name.utf8)
        var row = [true] + [Bool](repeating: false, count: name.count)
        for byte in pattern.utf8 {
            var next = [byte == UInt8(ascii: "*") && row[0]]
            for place in name.indices {
                next.append(
                    byte == UInt8(ascii: "*") ? row[place + 1] || next[place] : row[place] && name[place] == byte)
            }
            row = next
        }
        return row[name.count]
    }

    private static func specified(
        _ make: () throws(CoreError) -> ContainerSpec, under path: String
    ) throws -> ContainerSpec? {
        do { return try make() } catch {
            guard case .invalid(let field, let problem) = error else {
                throw Violation(description: "refused as something else: \(error)")
            }
            try require(field.hasPrefix(path) && !problem.isEmpty, "the refusal names \(field)")
            return nil
        }
    }
}
