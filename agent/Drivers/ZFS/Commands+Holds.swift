import DriverKit
import Model
import WireProtocol

/// Holds keep a snapshot from being destroyed until each is released.
extension ZFSDriver {
    private func held(
        _ reader: inout ArgumentReader
    ) throws(DriverError) -> (dataset: String, snapshot: String) {
        let dataset = try reader.string("dataset")
        return (dataset, "\(dataset)@\(try reader.string("snapshot"))")
    }

    func holdSnapshot(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let (dataset, name) = try held(&reader)
        let tag = try reader.string("tag")
        try reader.finish()
        try call.concerns(dataset)
        _ = try await require(name, ["guid"])
        var changed = true
        do {
            // The tool lists no option behind the tag; neither it nor the snapshot begins with a dash.
            try await tools.actPatiently(["hold", tag, name])
        } catch  where error.code == .conflict && error.cause?.contains("tag already exists") == true {
            changed = false
        }
        return ActionOutcome(changed: changed, observed: try await holding(name, tag: tag))
    }

    func releaseSnapshot(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let (dataset, name) = try held(&reader)
        let tag = try reader.string("tag")
        try reader.finish()
        try call.concerns(dataset)
        guard try await look(name, ["guid"]) != nil else { return .seen(["dataset": .string(dataset), "holds": 0]) }
        var changed = true
        do {
            try await tools.actPatiently(["release", tag, name])
        } catch  where error.code == .notFound {
            changed = false
        }
        return ActionOutcome(changed: changed, observed: try await holding(name, tag: nil))
    }

    /// How many holds a snapshot has, which every version of ZFS tells.
    private func holding(_ name: String, tag: String?) async throws(DriverError) -> JSONObject {
        let found = try await look(name, ["guid", "userrefs"])
        let parts = ZFSObject(name: name).parts
        var object: JSONObject = ["dataset": .string(parts.dataset), "holds": .integer(found?.number("userrefs") ?? 0)]
        object["snapshot"] = parts.snapshot.map { .string($0) }
        object["tag"] = tag.map { .string($0) }
        return object
    }

    func listHolds(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let (dataset, name) = try held(&reader)
        try reader.finish()
        _ = try await require(name, ["guid"])
        let holds = ZFSHold.parse(try await readHolds(name)).filter { $0.snapshot == name }
        return .seen([
            "dataset": .string(dataset), "snapshot": call.arguments["snapshot"] ?? nil,
            "holds": .array(holds.map { .object($0.json) }),
        ])
    }

    /// Exact times where the tool can print them.
    private func readHolds(_ name: String) async throws(DriverError) -> String {
        do {
            return try await tools.read(.zfs, ["holds", "-H", "-p", "--", name])
        } catch  where error.code == .unsupported && error.cause?.contains("option") == true {
            return try await tools.read(.zfs, ["holds", "-H", "--", name])
        } catch  where error.cause?.contains("pyzfs.py") == true {
            // Debian's zfs-fuse comes without the script that lists holds, and its tool aborts for want of it.
            throw DriverError(.unsupported, "this installation of ZFS cannot list holds", cause: error.cause)
        }
    }
}

/// One line of `zfs holds -H`.
struct ZFSHold: Sendable, Hashable {
    let snapshot: String
    let tag: String
    /// Seconds since 1970, where the tool prints them.
    let created: Int64?

    static func parse(_ text: String) -> [ZFSHold] {
        text.split(separator: "\n").compactMap { line in
            let columns = line.split(separator: "\t", omittingEmptySubsequences: false)
            guard columns.count == 3 else { return nil }
            return ZFSHold(snapshot: String(columns[0]), tag: String(columns[1]), created: Int64(columns[2]))
        }
    }

    var json: JSONObject {
        ["tag": .string(tag), "created": created.map { .integer($0.multipliedSaturating(by: 1000)) } ?? nil]
    }
}
