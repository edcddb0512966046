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
