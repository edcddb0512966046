import DriverKit
import Model
import WireProtocol

/// Snapshots: made, listed, gone back to and removed, one at a time.
///
/// `zfs destroy` reads `%` and `,` in a snapshot's name as ranges and lists, and a name without `@` as the dataset
/// itself: only names that passed the grammar are put behind an `@` here.
extension ZFSDriver {
    private func snapshot(_ reader: inout ArgumentReader) throws(DriverError) -> (dataset: String, name: String) {
        let dataset = try reader.string("dataset")
        return (dataset, "\(dataset)@\(try reader.string("snapshot"))")
    }

    func ensureSnapshot(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let (dataset, name) = try snapshot(&reader)
        try reader.finish()
        try call.concerns(dataset)
        if let found = try await look(name, ZFSObject.snapshotProperties) { return .seen(found.json) }
        _ = try await require(dataset, ["guid"])
        do {
            try await tools.actPatiently(["snapshot", "--", name])
        } catch  where error.code == .conflict {
            // Somebody else was quicker.
            return .seen(try await require(name, ZFSObject.snapshotProperties).json)
        }
        return ActionOutcome(changed: true, observed: try await require(name, ZFSObject.snapshotProperties).json)
    }

    func listSnapshots(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let dataset = try reader.string("dataset")
        let recursive = try reader.bool("recursive")
        try reader.finish()
        let text = try await tools.read(.zfs, ["list", "-H", "-t", "snapshot", "-o", "name", "-r", "--", dataset])
        let names = text.split(separator: "\n").map(String.init)
            .filter { recursive || $0.hasPrefix("\(dataset)@") }
        let found = try await objects(names, ZFSObject.snapshotProperties + ["createtxg"])
            .sorted { ($0.number("createtxg") ?? 0, $0.name) < ($1.number("createtxg") ?? 0, $1.name) }
        return .seen(["dataset": .string(dataset), "snapshots": .array(found.map { .object($0.json) })])
    }

    /// Goes back to a snapshot. Newer ones are in the way unless the call says that they may go; clones of them always are.
    func rollBack(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let (dataset, name) = try snapshot(&reader)
        let destroysNewer = try reader.bool("destroy_newer")
        try reader.finish()
        try call.concerns(dataset)
        _ = try await require(name, ["guid"])
        try await tools.actPatiently(["rollback"] + (destroysNewer ? ["-r"] : []) + ["--", name])
        return ActionOutcome(changed: true, observed: try await require(dataset).json)
    }

    func destroySnapshot(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let (dataset, name) = try snapshot(&reader)
        try reader.finish()
        try call.concerns(dataset)
        let gone: JSONObject = [
            "dataset": .string(dataset), "snapshot": call.arguments["snapshot"] ?? nil, "present": false,
        ]
        guard try await look(name, ["guid"]) != nil else { return .seen(gone) }
        try await destroy(["--", name])
        if try await look(name, ["guid"]) != nil {
            throw DriverError(.failed, "snapshot \(name) is there after its removal")
        }
        return ActionOutcome(changed: true, observed: gone)
    }
}
