import DriverKit
import Model
import WireProtocol

/// What the HA manager looks after. Since version 9 rules say where; groups did before.
extension ProxmoxDriver {
    static let highAvailabilityActions: [Action<ProxmoxDriver>] =
        [
            Action(
                ActionSpec("ha.status", .observe, summary: "tells what the HA manager looks after, and how it fares")
            ) {
                (driver, call, _) throws(DriverError) in try await driver.tellHA(call)
            },
            Action(
                ActionSpec(
                    "ha.add", .mutate, defaultDeadline: .seconds(180),
                    summary: "lets the HA manager look after a container")
            ) { (driver, call, _) throws(DriverError) in try await driver.addToHA(call) },
            Action(
                ActionSpec(
                    "ha.remove", .mutate, defaultDeadline: .seconds(180),
                    summary: "takes a container from the HA manager")
            ) { (driver, call, _) throws(DriverError) in try await driver.removeFromHA(call) },
        ] + ruleActions

    /// Groups, not rules.
    var hasGroups: Bool { version.split(separator: ".").first.flatMap { Int($0) }.map { $0 < 9 } ?? false }

    private func tellHA(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        try ArgumentReader(call.arguments).finish()
        let rows = try await tools.ask("/cluster/ha/status/current").asArray ?? []
        var observed: JSONObject = [:]
        let services = rows.filter { $0["type"] == "service" }.map { row -> JSONValue in
            var service: JSONObject = [:]
            for (name, key) in [("service", "sid"), ("node", "node"), ("state", "state"), ("wanted", "request_state")] {
                service[name] = row[key]
            }
            return .object(service)
        }
        observed["services"] = .array(services)
        observed["manager"] = .object(try await files.aside { $0.manager() }.json)
        observed["quorate"] = rows.first { $0["type"] == "quorum" }.map { .bool($0["quorate"]?.asLooseInteger == 1) }
        observed["master"] = rows.first { $0["type"] == "master" }?["node"]
        observed["armed"] = rows.first { $0["type"] == "fencing" }.map { .bool($0["armed-state"] == "armed") }
        return .seen(observed)
    }

    private func addToHA(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let vmid = try reader.vmid(of: call)
        var spec = try HASpec(&reader)
        try reader.finish()
        let found = try await require(vmid)
        let files = try await highAvailability()
        // The manager's own default would start what does not run.
        if files.resource(vmid) == nil { spec.settle(isRunning: found.isRunning) }
        let changedPlaces = try await ensurePlaces(vmid, spec, files)
        let words = spec.missing(
            in: files.resource(vmid), group: hasGroups && spec.nodes != nil ? Self.placeName(vmid) : nil)
        guard !words.isEmpty || files.resource(vmid) == nil else {
            return ActionOutcome(changed: changedPlaces, observed: try await seen(vmid, files))
        }
        let verb = files.resource(vmid) == nil ? "add" : "set"
        var failure: DriverError?
        do throws(DriverError) { try await tools.act(.haManager, [verb, "ct:\(vmid)"] + words) } catch {
            failure = error
        }
        let end = try await highAvailability()
        guard end.resource(vmid) != nil, spec.missing(in: end.resource(vmid), group: nil).isEmpty else {
            let error = failure ?? DriverError(.failed, "the HA manager did not take container \(vmid)")
            throw changedPlaces ? error.afterChange() : error
        }
        if !hasGroups, spec.nodes != nil { _ = try await ensurePlaces(vmid, spec, end) }
        return ActionOutcome(changed: true, observed: try await seen(vmid, highAvailability()))
    }

    private func removeFromHA(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let vmid = try reader.vmid(of: call)
        try reader.finish()
        let isThere = try await highAvailability().resource(vmid) != nil
        if isThere { try await takeFromHA(vmid) }
        return ActionOutcome(changed: isThere, observed: ["vmid": .integer(Int64(vmid)), "ha": false])
    }

    /// With its place, which is of no use to anything else.
    func takeFromHA(_ vmid: Int) async throws(DriverError) {
        var failure: DriverError?
        do throws(DriverError) { try await tools.act(.haManager, ["remove", "ct:\(vmid)"]) } catch { failure = error }
        let limit = ContinuousClock.now + tools.patience
        while try await highAvailability().resource(vmid) != nil {
            if let failure { throw failure }
            guard .now < limit else { throw DriverError(.failed, "the HA manager does not let container \(vmid) go") }
            try await pause(before: "the HA manager let container \(vmid) go")
        }
        let (files, name) = (try await highAvailability(), Self.placeName(vmid))
        if files.groups["group", name] != nil { try await tools.act(.haManager, ["groupremove", name]) }
        if files.rules[name] != nil { try await tools.act(.haManager, ["rules", "remove", name]) }
    }

    /// Makes the rule or the group say where the container should run. A rule needs a container that is looked after, a
    /// container a group that is there: so the one comes after it, the other before.
    private func ensurePlaces(_ vmid: Int, _ spec: HASpec, _ files: HAFiles) async throws(DriverError) -> Bool {
        guard let places = spec.places else { return false }
        let name = Self.placeName(vmid)
        if hasGroups {
            let old = files.groups["group", name]
            let strict = spec.isStrict ? "1" : "0"
            if old?.values["nodes"] == places, old?.isOn("restricted") ?? false == spec.isStrict { return false }
            try await tools.act(
                .haManager, [old == nil ? "groupadd" : "groupset", name, "--nodes", places, "--restricted", strict])
            return true
        }
        guard files.resource(vmid) != nil else { return false }
        let rule = HARule(name: name, kind: .nodes(places, isStrict: spec.isStrict), containers: [vmid])
        return try await ensure(rule, files)
    }

    func highAvailability() async throws(DriverError) -> HAFiles { try await files.aside { $0.highAvailability() } }

    static func placeName(_ vmid: Int) -> String { "innkeeper-ct-\(vmid)" }

    private func seen(_ vmid: Int, _ files: HAFiles) async throws(DriverError) -> JSONObject {
        var json: JSONObject = ["vmid": .integer(Int64(vmid)), "ha": .bool(files.wishes[vmid] != nil)]
        json["manager"] = .object(try await self.files.aside { $0.manager() }.json)
        let resource = files.resource(vmid)
        json["state"] = .string(resource?.values["state"] ?? "started")
        for key in ["max_restart", "max_relocate", "group"] { json[key] = resource?.values[key].map { .string($0) } }
        let rules = files.rules.sections.filter { $0.list("resources").contains("ct:\(vmid)") }
        if !rules.isEmpty { json["rules"] = .array(rules.map { .string($0.name) }) }
        return json
    }
}

/// What a call wants of the HA manager for one container.
struct HASpec: Sendable {
    private var values: [(name: String, value: String)] = []
    let nodes: [(name: String, priority: Int64?)]?
    let isStrict: Bool

    init(_ reader: inout ArgumentReader) throws(DriverError) {
        if let state = try reader.optionalString("state") {
            values.append(("state", state))
        }
        for name in ["max_restart", "max_relocate"] {
            if let number = try reader.optionalInteger(name) { values.append((name, "\(number)")) }
        }
        nodes = try HARule.nodes(&reader)
        isStrict = try reader.bool("strict")
        if isStrict, nodes == nil { throw .invalidArgument("strict", "needs nodes") }
    }

    mutating func settle(isRunning: Bool) {
        if !values.contains(where: { $0.name == "state" }) {
            values.append(("state", isRunning ? "started" : "stopped"))
        }
    }

    var places: String? { nodes.map(HARule.text) }

    /// Words for what the manager does not have so yet.
    func missing(in resource: SectionFile.Section?, group: String?) -> [String] {
        let wanted = values + (group.map { [("group", $0)] } ?? [])
        let defaults = ["state": "started", "max_restart": "1", "max_relocate": "1"]
        return wanted.filter { resource == nil || (resource?.values[$0.name] ?? defaults[$0.name]) != $0.value }
            .flatMap { ["--\($0.name)", $0.value] }
    }
}
