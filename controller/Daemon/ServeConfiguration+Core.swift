import ControllerCore
import Model
import Placement
import Store
import WireProtocol

extension PlacementRules {
    /// What the object does not name is as in `standard`; what a class does not name is as for nodes of none.
    init(_ fields: JSONObject) throws(FieldError) {
        try self.init(fields, over: .standard, more: ["classes"])
        guard let all = try fields.optionalObject("classes") else { return }
        for member in all.members {
            let path = "classes.\(member.key.prefix(64))"
            guard let object = member.value.asObject else {
                throw FieldError(path: path, problem: .type(expected: "an object"))
            }
            guard Grammar.labelValue.accepts(member.key), !member.key.isEmpty else {
                throw FieldError(path: path, problem: .value(expected: "named by the value of a label"))
            }
            do throws(FieldError) { classes[member.key] = try PlacementRules(object, over: self) } catch {
                throw error.under(path)
            }
        }
    }

    private init(
        _ fields: JSONObject, over standard: PlacementRules, more: Set<String> = []
    ) throws(FieldError) {
        let keys: Set = ["cpu_overcommit", "memory_overcommit", "disk_overcommit", "storage_floor"]
        try fields.allowOnly(keys.union(more))
        self.init(
            cpuOvercommit: try fields.optionalNumber("cpu_overcommit", in: 0.1...100) ?? standard.cpuOvercommit,
            memoryOvercommit: try fields.optionalNumber("memory_overcommit", in: 0.1...100)
                ?? standard.memoryOvercommit,
            diskOvercommit: try fields.optionalNumber("disk_overcommit", in: 0.1...100) ?? standard.diskOvercommit,
            storageFloor: try fields.optionalNumber("storage_floor", in: 0...0.9) ?? standard.storageFloor)
    }
}

extension ExecutorLimits {
    /// What the object does not name is as in `standard`.
    init(_ fields: JSONObject) throws(FieldError) {
        try fields.allowOnly(["per_node", "per_kind", "unplaced"])
        let (standard, range) = (ExecutorLimits.standard, Int64(1)...10_000)
        self.init(
            perNode: try fields.optionalInteger("per_node", in: range).map { Int($0) } ?? standard.perNode,
            perKind: try fields.optionalInteger("per_kind", in: range).map { Int($0) } ?? standard.perKind,
            unplaced: try fields.optionalInteger("unplaced", in: range).map { Int($0) } ?? standard.unplaced)
    }
}

extension Retention {
    /// Days by name; what the object does not name is as it is without it.
    init(_ fields: JSONObject) throws(FieldError) {
        let all: [(name: String, part: WritableKeyPath<Retention, Duration>)] = [
            ("samples_days", \.samples), ("rollups_days", \.rollups), ("events_days", \.events),
            ("commands_days", \.commands), ("operations_days", \.operations), ("gaps_days", \.gaps),
            ("usage_counters_days", \.usageCounters), ("findings_days", \.findings), ("audit_days", \.audit),
            ("messages_days", \.messages),
        ]
        try fields.allowOnly(Set(all.map { $0.name }))
        self.init()
        for (name, part) in all {
            if let days = try fields.optionalInteger(name, in: 1...36_500) { self[keyPath: part] = .days(days) }
        }
    }
}

extension AllocationRules {
    /// What the object does not name is as in `standard`.
    init(_ fields: JSONObject) throws(FieldError) {
        try fields.allowOnly([
            "vmid_first", "vmid_last", "address_rest_hours", "vmid_rest_hours", "subdomain_rest_days",
        ])
        self.init()
        let range = vmids
        let first = try fields.optionalInteger("vmid_first", in: range) ?? range.lowerBound
        let last = try fields.optionalInteger("vmid_last", in: range) ?? range.upperBound
        guard first <= last else {
            throw FieldError(path: "vmid_last", problem: .value(expected: "not less than vmid_first"))
        }
        vmids = first...last
        let hours = Int64(0)...87_600
        if let rest = try fields.optionalInteger("address_rest_hours", in: hours) {
            addressRest = .seconds(rest * 3600)
        }
        if let rest = try fields.optionalInteger("vmid_rest_hours", in: hours) { vmidRest = .seconds(rest * 3600) }
        if let rest = try fields.optionalInteger("subdomain_rest_days", in: 0...3650) { subdomainRest = .days(rest) }
    }
}

extension JSONObject {
    fileprivate func optionalNumber(
        _ key: String, in range: ClosedRange<Double>
    ) throws(FieldError) -> Double? {
        guard let number = try optionalNumber(key) else { return nil }
        guard range.contains(number) else {
            throw FieldError(
                path: key, problem: .value(expected: "a number from \(range.lowerBound) to \(range.upperBound)"))
        }
        return number
    }
}
