import DriverKit
import Model
import WireProtocol

/// The node's storage as a whole: who uses what, and what could be better.
extension ZFSDriver {
    /// What snapshots keep from being freed, dataset by dataset, the largest first.
    func tellSnapshotUsage(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let root = try reader.optionalString("dataset")
        let limit = Int(try reader.integer("limit"))
        try reader.finish()
        let usage = try await snapshotUsage(below: root)
        let total = usage.reduce(Int64(0)) { $0.addingReportingOverflow($1.bytes).partialValue }
        return .seen([
            "snapshots": .integer(Int64(usage.reduce(0) { $0 + $1.count })), "bytes": .integer(total),
            "datasets": .array(usage.prefix(limit).map { .object($0.json) }),
            "complete": .bool(usage.count <= limit),
        ])
    }

    func snapshotUsage(below root: String? = nil) async throws(DriverError) -> [SnapshotUsage] {
        let scope = root.map { ["-r", "--", $0] } ?? []
        let names = try await tools.read(.zfs, ["list", "-H", "-t", "filesystem,volume", "-o", "name"] + scope)
        let datasets = try await objects(
            names.split(separator: "\n").map(String.init), ["used", "usedbysnapshots"])
        let list = try await tools.read(.zfs, ["list", "-H", "-t", "snapshot", "-o", "name"] + scope)
        let snapshots = try await objects(list.split(separator: "\n").map(String.init), ["used", "creation"])
        let bySet = Dictionary(grouping: snapshots) { $0.parts.dataset }
        return datasets.compactMap { dataset in bySet[dataset.name].map { SnapshotUsage(dataset, $0) } }
            .sorted { ($1.bytes, $0.dataset) < ($0.bytes, $1.dataset) }
    }

    func report(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        try ArgumentReader(call.arguments).finish()
        let survey = try await survey()
        var object: JSONObject = [
            "version": .string(version), "pools": .array(survey.pools.map { .object($0.json) }),
            "status": .array(survey.statuses.map { .object($0.json) }),
            "largest": .array(survey.largest.map { .object($0.json) }),
            "snapshots": .array(survey.snapshots.prefix(20).map { .object($0.json) }),
            "suggestions": .array(survey.suggestions.map { .object($0.json) }),
        ]
        object["arc"] = survey.arc.map { .object($0.json) }
        return .seen(object)
    }

    func suggest(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        try ArgumentReader(call.arguments).finish()
        return .seen(["suggestions": .array(try await survey().suggestions.map { .object($0.json) })])
    }

    private func survey() async throws(DriverError) -> Survey {
        Survey(
            pools: try await pools(), fragmentation: try await fragmentation(), statuses: try await statuses(),
            datasets: try await surveyed(), snapshots: try await snapshotUsage(), arc: arcStatistics(), now: .now())
    }

    /// Per cent by pool; empty where ZFS does not tell.
    private func fragmentation() async throws(DriverError) -> [String: Int64] {
        do {
            let text = try await tools.read(.zpool, ["list", "-H", "-o", "name,fragmentation"])
            let pairs = text.split(separator: "\n").compactMap { line -> (String, Int64)? in
                let columns = line.split(separator: "\t")
                guard columns.count == 2, let percent = Int64(columns[1].prefix { $0 != "%" }) else { return nil }
                return (String(columns[0]), percent)
            }
            return Dictionary(pairs) { $1 }
        } catch  where error.code == .invalidArgument || error.code == .unsupported {
            return [:]
        }
    }

    /// All datasets with what suggestions are made of; the newer properties where ZFS has them.
    private func surveyed() async throws(DriverError) -> [ZFSObject] {
        let names = try await tools.read(.zfs, ["list", "-H", "-t", "filesystem,volume", "-o", "name"])
            .split(separator: "\n").map(String.init)
        do {
            return try await objects(names, Survey.properties + Survey.newerProperties)
        } catch  where error.code == .invalidArgument || error.code == .unsupported {
            return try await objects(names, Survey.properties)
        }
    }
}

/// What the snapshots of one dataset use.
struct SnapshotUsage: Sendable, Hashable {
    let dataset: String
    let count: Int
    /// Bytes that are free once all of them are gone.
    let bytes: Int64
    /// Bytes of the dataset with all below it.
    let usedBytes: Int64
    /// Seconds since 1970.
    let oldest: Int64?
    let newest: Int64?
    /// The snapshot that holds most alone, with the bytes that its removal would free.
    let largest: String?
    let largestBytes: Int64

    init(_ dataset: ZFSObject, _ snapshots: [ZFSObject]) {
        self.dataset = dataset.name
        count = snapshots.count
        bytes = max(0, dataset.number("usedbysnapshots") ?? 0)
        usedBytes = max(0, dataset.number("used") ?? 0)
        let times = snapshots.compactMap { $0.number("creation") }
        (oldest, newest) = (times.min(), times.max())
        let most = snapshots.max { ($0.number("used") ?? 0) < ($1.number("used") ?? 0) }
        largest = most?.parts.snapshot
        largestBytes = most?.number("used") ?? 0
    }

    var json: JSONObject {
        var object: JSONObject = [
            "dataset": .string(dataset), "count": .integer(Int64(count)), "bytes": .integer(bytes),
            "used_bytes": .integer(usedBytes),
        ]
        object["oldest"] = oldest.map { .integer($0.multipliedSaturating(by: 1000)) }
        object["newest"] = newest.map { .integer($0.multipliedSaturating(by: 1000)) }
        object["largest"] = largest.map { .object(["snapshot": .string($0), "bytes": .integer(largestBytes)]) }
        return object
    }
}
