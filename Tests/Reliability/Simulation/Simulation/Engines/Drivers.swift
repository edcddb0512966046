import ControllerCore
import DriverKit
import Model
import WireProtocol

/// What the two drivers of engines share: every call goes to the node's engines.
protocol EngineDriver: Driver {
    var engines: Engines { get }
}

extension EngineDriver {
    func perform(_ call: ActionCall, _ context: ActionContext) async throws(DriverError) -> ActionOutcome {
        let mutates = action(call.action)?.kind == .mutate
        let request = Engines.Request(
            command: context.commandID, driver: Self.name, call: call, mutates: mutates)
        let engines = self.engines
        let answer = await withTaskCancellationHandler {
            await withUnsafeContinuation { (waiter: UnsafeContinuation<EngineModel.Answer, Never>) in
                engines.submit(request) { waiter.resume(returning: $0) }
            }
        } onCancel: {
            engines.cancel(request)
        }
        return try answer.get()
    }
}

private func specs(_ mutating: [String], _ observing: [String]) -> [ActionSpec] {
    mutating.map { ActionSpec($0, .mutate, summary: $0) }
        + observing.map { ActionSpec($0, .observe, summary: $0) }
}

struct SimulatedHelm: EngineDriver {
    static let name = "helm"
    let engines: Engines
    let version = "1"
    let concurrency = 3
    let actions = specs(
        [
            "namespace.ensure", "namespace.remove", "secret.ensure", "release.install", "release.upgrade",
            "release.uninstall", "release.heal",
        ], ["namespace.inspect", "release.status", "release.ready"])

    func facts() async -> JSONObject { ["cluster_answers": true, "marks": true] }

    func inventory() async throws(DriverError) -> [InventoryItem] {
        let now = Scheduler.shared.now
        return engines.model.cluster.spaces.filter { $0.value.release != nil }.keys.sorted().map {
            InventoryItem(
                resource: "helm/\($0)/\($0.dropFirst(6))", state: engines.model.cluster.state(ofRelease: $0, now))
        }
    }
}

struct SimulatedProxmox: EngineDriver {
    static let name = "proxmox"
    let engines: Engines
    let version = "1"
    let concurrency = 3
    let actions = specs(
        [
            "container.create", "container.destroy", "container.start", "container.shutdown", "container.restart",
            "container.set", "container.resize", "container.mark", "container.backup", "container.restore",
            "snapshot.ensure", "snapshot.destroy", "backup.destroy", "recipe.run",
        ], ["container.inspect", "backup.list", "storage.list", "cluster.status", "recipe.look"])

    func facts() async -> JSONObject {
        let room: JSONObject = ["total_bytes": .integer(1 << 42), "available_bytes": .integer(1 << 42)]
        return [
            "node": .string("pve\(engines.node)"), "cluster": .string("pve\(engines.node)"), "version": "9.0",
            "marks": true, "storages": [.object(room.merged(with: ["storage": "pool"]))],
        ]
    }

    func inventory() async throws(DriverError) -> [InventoryItem] {
        engines.model.guests.guests.keys.sorted().map {
            InventoryItem(resource: "proxmox/ct/\($0)", state: engines.model.guests.state(of: $0))
        }
    }
}

/// One thread runs everything, so the engines may be shared.
extension Engines: @unchecked Sendable {}

struct SimulatedDocker: EngineDriver {
    static let name = "docker"
    let engines: Engines
    let version = "1"
    let concurrency = 3
    let actions = specs(
        [
            "image.pull", "image.import", "container.ensure", "container.start", "container.stop", "container.remove",
            "container.update",
        ], ["container.inspect"])

    func facts() async -> JSONObject { ["marks": true] }

    func inventory() async throws(DriverError) -> [InventoryItem] {
        engines.model.containers.keys.sorted().map {
            InventoryItem(resource: "docker/\($0)", state: engines.model.state(ofContainer: $0))
        }
    }
}

struct SimulatedZFS: EngineDriver {
    static let name = "zfs"
    let engines: Engines
    let version = "1"
    let concurrency = 2
    let actions = specs(
        ["dataset.ensure", "dataset.destroy", "dataset.quota", "dataset.snapshot", "dataset.mark"],
        ["dataset.usage", "dataset.list"])

    func facts() async -> JSONObject {
        [
            "pools": [["name": "tank", "size_bytes": .integer(1 << 40), "free_bytes": .integer(1 << 40)]],
            "marks": true,
        ]
    }

    func inventory() async throws(DriverError) -> [InventoryItem] {
        engines.model.datasets.keys.sorted().map {
            InventoryItem(resource: "zfs/\($0)", state: engines.model.state(ofDataset: $0))
        }
    }
}
