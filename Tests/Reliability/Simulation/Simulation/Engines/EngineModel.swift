import DriverKit
import Model
import WireProtocol

/// What a node's engines hold: the truth that outlives every agent process.
struct EngineModel {
    struct Container: Equatable {
        var service: String
        var image: String
        var isRunning: Bool
        var memory: Int64
    }

    struct Dataset: Equatable {
        var owner: String
        var quota: Int64
        var snapshots: [String] = []
    }

    var images: Set<String> = []
    var containers: [String: Container] = [:]
    var datasets: [String: Dataset] = [:]

    typealias Answer = Result<ActionOutcome, DriverError>

    /// Does it, ensure-style.
    mutating func perform(_ driver: String, _ call: ActionCall) -> Answer {
        driver == "zfs" ? zfs(call) : docker(call)
    }

    private mutating func zfs(_ call: ActionCall) -> Answer {
        let name = call.arguments["dataset"]?.asString ?? ""
        let before = datasets[name]
        switch call.action {
        case "dataset.ensure":
            let owner = call.arguments["owner"]?.asString ?? ""
            if let before, before.owner != owner { return .failure(.init(.conflict, "\(name) is another's")) }
            let quota = call.arguments["quota_bytes"]?.asInteger ?? 0
            datasets[name] = Dataset(owner: owner, quota: quota, snapshots: before?.snapshots ?? [])
        case "dataset.destroy":
            if let before, let owner = call.arguments["owner"]?.asString, before.owner != owner {
                return .failure(.init(.conflict, "\(name) is another's"))
            }
            datasets[name] = nil
        case "dataset.quota":
            guard before != nil else { return .failure(.init(.notFound, "no \(name)")) }
            datasets[name]?.quota = call.arguments["quota_bytes"]?.asInteger ?? 0
        case "dataset.snapshot":
            guard let before else { return .failure(.init(.notFound, "no \(name)")) }
            let snapshot = call.arguments["snapshot"]?.asString ?? ""
            if !before.snapshots.contains(snapshot) { datasets[name]?.snapshots.append(snapshot) }
        default:
            guard before != nil else { return .failure(.init(.notFound, "no \(name)")) }
        }
        return .success(ActionOutcome(changed: before != datasets[name], observed: state(ofDataset: name)))
    }

    private mutating func docker(_ call: ActionCall) -> Answer {
        if call.action.hasPrefix("image.") {
            let image = call.arguments["reference"]?.asString ?? ""
            return .success(ActionOutcome(changed: images.insert(image).inserted))
        }
        let name = call.arguments["name"]?.asString ?? ""
        let before = containers[name]
        if let owner = call.arguments["service"]?.asString, let before, before.service != owner {
            return .failure(.init(.conflict, "\(name) is another's"))
        }
        switch call.action {
        case "container.ensure":
            let image = call.arguments["image"]?.asString ?? ""
            guard images.contains(image) else { return .failure(.init(.notFound, "no image \(image)")) }
            let service = call.arguments["labels"]?["innkeeper.service"]?.asString ?? name
            containers[name] = Container(
                service: service, image: image, isRunning: true,
                memory: call.arguments["memory_bytes"]?.asInteger ?? 0)
        case "container.remove": containers[name] = nil
        case "container.start", "container.stop", "container.update":
            guard before != nil else { return .failure(.init(.notFound, "no container \(name)")) }
            if call.action == "container.start" { containers[name]?.isRunning = true }
            if call.action == "container.stop" { containers[name]?.isRunning = false }
            if let memory = call.arguments["memory_bytes"]?.asInteger { containers[name]?.memory = memory }
        default:
            guard before != nil else { return .failure(.init(.notFound, "no container \(name)")) }
        }
        return .success(ActionOutcome(changed: before != containers[name], observed: state(ofContainer: name)))
    }

    func state(ofContainer name: String) -> JSONObject {
        guard let container = containers[name] else { return ["name": .string(name), "present": false] }
        return [
            "id": .string("c-\(name)"), "name": .string(name), "service": .string(container.service),
            "state": container.isRunning ? "running" : "exited", "image": .string(container.image),
            "memory_bytes": .integer(container.memory),
        ]
    }

    func state(ofDataset name: String) -> JSONObject {
        guard let dataset = datasets[name] else { return ["dataset": .string(name), "present": false] }
        return [
            "dataset": .string(name), "mountpoint": .string("/\(name)"), "owner": .string(dataset.owner),
            "quota_bytes": .integer(dataset.quota), "used_bytes": 4096,
        ]
    }
}
