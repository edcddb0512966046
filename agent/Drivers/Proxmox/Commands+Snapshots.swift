import DriverKit
import WireProtocol

/// Snapshots: made, listed, gone back to and removed. What there is is read from the configuration, where they stand.
extension ProxmoxDriver {
    static let snapshotActions: [Action<ProxmoxDriver>] = [
        Action(ActionSpec("snapshot.list", .observe, summary: "lists the snapshots of a container")) {
            (driver, call, _) throws(DriverError) in try await driver.listSnapshots(call)
        },
        Action(
            ActionSpec(
                "snapshot.ensure", .mutate, defaultDeadline: .seconds(300), summary: "makes a snapshot be there")
        ) { (driver, call, _) throws(DriverError) in try await driver.ensureSnapshot(call) },
        Action(
            ActionSpec(
                "snapshot.rollback", .mutate, defaultDeadline: .seconds(600),
                summary: "takes a container back to a snapshot")
        ) { (driver, call, _) throws(DriverError) in try await driver.rollBack(call) },
        Action(
            ActionSpec("snapshot.destroy", .mutate, defaultDeadline: .seconds(300), summary: "removes one snapshot")
        ) { (driver, call, _) throws(DriverError) in try await driver.destroySnapshot(call) },
    ]

    private func listSnapshots(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let vmid = try reader.vmid()
        try reader.finish()
        let config = try await require(vmid).config
        var observed: JSONObject = [
            "vmid": .integer(Int64(vmid)), "snapshots": .array(config.snapshots.map { .object($0.json) }),
        ]
        observed["current"] = config["parent"].map { .string($0) }
        return .seen(observed)
    }

    private func ensureSnapshot(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let (vmid, name) = try Self.target(&reader, call)
        try reader.finish()
        let found = try await require(vmid)
        if let snapshot = found.config.snapshot(name), snapshot.isWhole { return .seen(snapshot.json) }
        try await checkUnlocked(found)
        try await checkWhole(found, name)
        let end = try await achieve(vmid, "had the snapshot") {
            $0?.config.snapshot(name)?.isWhole ?? false
        } by: {
            () throws(DriverError) in
            try await tools.act(.pct, ["snapshot", "\(vmid)", name])
        }
        return ActionOutcome(changed: true, observed: end?.config.snapshot(name)?.json ?? [:])
    }

    /// Takes the container back. One that runs is stopped by that, and started again only where asked.
    private func rollBack(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let (vmid, name) = try Self.target(&reader, call)
        let starts = try reader.bool("start")
        try reader.finish()
        let found = try await require(vmid)
        guard found.config.snapshot(name) != nil else {
            throw DriverError(.notFound, "container \(vmid) has no snapshot \(name)")
        }
        try await checkUnlocked(found)
        try await checkWhole(found, name)
        try await tools.act(.pct, ["rollback", "\(vmid)", name])
        let end = try await require(vmid)
        guard end.config["parent"] == name, end.config.lock == nil else {
            throw DriverError(.unknownOutcome, "container \(vmid) is not at snapshot \(name) after it was taken back")
        }
        guard starts else { return ActionOutcome(changed: true, observed: end.json) }
        do throws(DriverError) {
            return ActionOutcome(changed: true, observed: try await startGuest(end).json)
        } catch { throw error.afterChange() }
    }

    private func destroySnapshot(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let (vmid, name) = try Self.target(&reader, call)
        try reader.finish()
        let gone: JSONObject = ["vmid": .integer(Int64(vmid)), "snapshot": .string(name), "present": false]
        guard let found = try await look(vmid), let snapshot = found.config.snapshot(name) else { return .seen(gone) }
        try await checkUnlocked(found)
        // A half-made one goes only by force.
        let words = ["delsnapshot", "\(vmid)", name] + (snapshot.isWhole ? [] : ["--force", "1"])
        _ = try await achieve(vmid, "lost the snapshot") {
            $0?.config.snapshot(name) == nil
        } by: {
            () throws(DriverError) in
            try await tools.act(.pct, words)
        }
        return ActionOutcome(changed: true, observed: gone)
    }

    private func checkWhole(_ found: Guest, _ name: String) async throws(DriverError) {
        guard let snapshot = found.config.snapshot(name), !snapshot.isWhole else { return }
        throw DriverError(.conflict, "snapshot \(name) of container \(found.vmid) is half-made: remove it first")
    }

    private static func target(_ reader: inout ArgumentReader, _ call: ActionCall) throws(DriverError) -> (
        Int, String
    ) {
        (try reader.vmid(of: call), try reader.string("snapshot"))
    }
}

extension GuestConfig {
    func snapshot(_ name: String) -> Snapshot? { snapshots.first { $0.name == name } }
}

extension GuestConfig.Snapshot {
    /// Whether it is there in full; one that is being made or removed is not, nor one whose making has died.
    var isWhole: Bool { values["snapstate"] == nil }

    var json: JSONObject {
        var json: JSONObject = ["snapshot": .string(name), "whole": .bool(isWhole)]
        json["created"] = values["snaptime"].flatMap { Int64($0) }.map { .integer($0 * 1000) }
        json["parent"] = values["parent"].map { .string($0) }
        if !description.isEmpty { json["description"] = .string(description) }
        return json
    }
}
