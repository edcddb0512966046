import DriverKit
import Model
import WireProtocol

/// Containers on their way to other nodes, and the node and its cluster as they see themselves.
extension ProxmoxDriver {
    static let movingActions: [Action<ProxmoxDriver>] = [
        Action(
            ActionSpec(
                "container.migrate", .mutate, defaultDeadline: .seconds(6 * 3600),
                summary: "moves a container to another node of the cluster")
        ) { (driver, call, context) throws(DriverError) in try await driver.migrate(call, context) },
        Action(
            ActionSpec(
                "container.mark", .mutate, summary: "gives a container without a mark its mark", guarded: true)
        ) { (driver, call, context) throws(DriverError) in try await driver.markContainer(call, context) },
        Action(
            ActionSpec(
                "container.unlock", .mutate, summary: "takes away the lock of an action that has died")
        ) { (driver, call, _) throws(DriverError) in try await driver.unlock(call) },
        Action(ActionSpec("node.status", .observe, summary: "tells load, memory and versions of the node")) {
            (driver, call, _) throws(DriverError) in try await driver.tellNode(call)
        },
        Action(ActionSpec("cluster.status", .observe, summary: "tells the cluster's nodes and its quorum")) {
            (driver, call, _) throws(DriverError) in try await driver.tellCluster(call)
        },
    ]
    /// The HA manager moves a container when it gets to it.
    private static let movingPatience = Duration.seconds(3600)

    private func migrate(
        _ call: ActionCall, _ context: ActionContext
    ) async throws(DriverError) -> ActionOutcome {
        let spec = try Migration(call)
        let (vmid, target) = (spec.vmid, spec.target)
        let moved: JSONObject = ["vmid": .integer(Int64(vmid)), "node": .string(target)]
        if try await files.aside({ $0.place(vmid) }) == target { return .seen(moved) }
        let found = try await require(vmid)
        guard try await files.aside({ $0.hasNode(target) }) else {
            throw DriverError(.notFound, "there is no node \(target) in the cluster")
        }
        if found.isRunning, !spec.restarts {
            throw DriverError(.conflict, "container \(vmid) runs, and moving it without a restart is not possible")
        }
        try await checkUnlocked(found)
        context.progress("moving container \(vmid) to \(target)")
        var failure: DriverError?
        do throws(DriverError) { try await tools.act(.pct, spec.words(isRunning: found.isRunning)) } catch {
            failure = error
        }
        let limit = ContinuousClock.now + (found.isHAManaged ? Self.movingPatience : .seconds(5))
        while try await files.aside({ $0.place(vmid) }) != target {
            if let failure { throw failure }
            guard .now < limit else { throw DriverError(.failed, "container \(vmid) never arrived at \(target)") }
            try await pause(before: "container \(vmid) had arrived at \(target)")
        }
        return ActionOutcome(changed: true, observed: moved)
    }

    /// A lock is taken away only when nothing works on the container; a backup's own snapshot goes with it, and the lock of
    /// the container that it is a copy of.
    private func unlock(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let vmid = try reader.vmid(of: call)
        try reader.finish()
        let found = try await require(vmid)
        guard let lock = found.config.lock else { return .seen(found.json) }
        if try await files.aside({ $0.isBusy(vmid) }) {
            throw DriverError(.busy, "container \(vmid) is locked (\(lock)) by an operation that is under way")
        }
        if lock == "create", let source = found.config.copyNote?.source { try await releaseSource(source) }
        var end = try await achieve(vmid, "lost its lock") {
            $0 != nil && $0?.config.lock == nil
        } by: {
            () throws(DriverError) in
            try await tools.act(.pct, ["unlock", "\(vmid)"])
        }
        if lock == "backup", found.config.snapshot("vzdump") != nil {
            end = try await achieve(vmid, "lost the snapshot of its backup") {
                $0?.config.snapshot("vzdump") == nil
            } by: {
                () throws(DriverError) in
                try await tools.act(.pct, ["delsnapshot", "\(vmid)", "vzdump", "--force", "1"])
            }
        }
        return ActionOutcome(changed: true, observed: end?.json ?? [:])
    }

    private func tellNode(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        try ArgumentReader(call.arguments).finish()
        let status = try await tools.ask("/nodes/\(files.node)/status")
        var observed: JSONObject = ["node": .string(files.node), "version": .string(version)]
        observed["kernel"] = status["kversion"] ?? status["current-kernel"]?["release"]
        observed["uptime_s"] = status["uptime"]?.asLooseInteger.map { .integer($0) }
        observed["processors"] = status["cpuinfo"]?["cpus"]?.asLooseInteger.map { .integer($0) }
        observed["processor_use"] = status["cpu"]?.asLooseNumber.map { .number($0) }
        observed["load"] = status["loadavg"]?.asArray.map {
            .array($0.compactMap { $0.asLooseNumber.map { .number($0) } })
        }
        for (name, key) in [("memory_bytes", "total"), ("memory_used_bytes", "used")] {
            observed[name] = status["memory"]?[key]?.asLooseInteger.map { .integer($0) }
        }
        return .seen(observed)
    }

    private func tellCluster(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        try ArgumentReader(call.arguments).finish()
        let rows = try await tools.ask("/cluster/status").asArray ?? []
        let cluster = rows.first { $0["type"] == "cluster" }
        let nodes = rows.filter { $0["type"] == "node" }.map { row -> JSONValue in
            var node: JSONObject = ["online": .bool(row["online"]?.asLooseInteger == 1)]
            node["node"] = row["name"]
            node["address"] = row["ip"]
            node["local"] = .bool(row["local"]?.asLooseInteger == 1)
            return .object(node)
        }
        var observed: JSONObject = ["nodes": .array(nodes)]
        let configured = try await files.aside { $0.cluster()?.name }
        observed["cluster"] = cluster?["name"] ?? configured.map { .string($0) }
        // The answer holds no cluster while the cluster's own process is down, though there is one.
        let isWritable = try await files.aside { $0.isWritable }
        observed["quorate"] = .bool(isWritable && cluster.map { $0["quorate"]?.asLooseInteger == 1 } ?? true)
        return .seen(observed)
    }
}

/// A move as a call asks for it.
private struct Migration {
    let vmid: Int
    let target: String
    let restarts: Bool
    private let storage: String?
    private let seconds: Int64

    init(_ call: ActionCall) throws(DriverError) {
        var reader = ArgumentReader(call.arguments)
        vmid = try reader.vmid(of: call)
        target = try reader.string("target")
        restarts = try reader.bool("restart")
        storage = try reader.optionalString("storage")
        seconds = try reader.integer("timeout_s")
        try reader.finish()
    }

    func words(isRunning: Bool) -> [String] {
        ["migrate", "\(vmid)", target] + (isRunning ? ["--restart", "1", "--timeout", "\(seconds)"] : [])
            + (storage.map { ["--target-storage", $0] } ?? [])
    }
}

extension JSONValue {
    /// Numbers come as numbers or as text, as it happens.
    var asLooseNumber: Double? { asNumber ?? asString.flatMap { Double($0) } }
    var asLooseInteger: Int64? { asInteger ?? asLooseNumber.flatMap { Int64(exactly: $0.rounded()) } }
}
