import ControllerCore
import Placement
import WireProtocol

extension PlacementRules {
    /// What the object does not name is as in `standard`.
    init(_ fields: JSONObject) throws(FieldError) {
        try fields.allowOnly(["cpu_overcommit", "memory_overcommit", "disk_overcommit", "storage_floor"])
        let standard = PlacementRules.standard
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
        ]
        try fields.allowOnly(Set(all.map { $0.name }))
        self.init()
        for (name, part) in all {
            if let days = try fields.optionalInteger(name, in: 1...36_500) { self[keyPath: part] = .days(days) }
        }
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
