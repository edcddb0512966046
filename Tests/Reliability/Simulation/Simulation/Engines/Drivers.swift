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
