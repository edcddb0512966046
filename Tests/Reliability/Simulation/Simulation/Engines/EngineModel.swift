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
        var nonce: String?
    }

    struct Dataset: Equatable {
        var owner: String
        var quota: Int64
        var snapshots: [String] = []
        var nonce: String?
    }

    var images: Set<String> = []
    var containers: [String: Container] = [:]
    var datasets: [String: Dataset] = [:]
    var cluster = ClusterModel()
    var guests = GuestModel()

    typealias Answer = Result<ActionOutcome, DriverError>

    /// Does it, ensure-style.
    mutating func perform(_ driver: String, _ call: ActionCall, as command: String, at now: Moment) -> Answer {
        switch driver {
        case "zfs": zfs(call)
        case "helm": cluster.perform(call, at: now)
        case "proxmox": guests.perform(call, as: command)
        default: docker(call)
        }
    }

    private mutating func zfs(_ call: ActionCall) -> Answer {
        let name = call.arguments["dataset"]?.asString ?? ""
        let before = datasets[name]
        let mark = call.bears
        if let before, let mark, !mark.isBorne(by: Mark(service: before.owner, nonce: before.nonce)) {
            return .failure(.init(.foreign, "\(name) is another's"))
        }
        switch call.action {
        case "dataset.ensure":
            let quota = call.arguments["quota_bytes"]?.asInteger ?? 0
            datasets[name] = Dataset(
                owner: before?.owner ?? mark?.service ?? "", quota: quota, snapshots: before?.snapshots ?? [],
                nonce: before == nil ? mark?.nonce : before?.nonce)
        case "dataset.destroy": datasets[name] = nil
        case "dataset.mark":
            guard let before, let mark else { return .failure(.init(.notFound, "no \(name)")) }
            if before.nonce == nil { datasets[name]?.nonce = mark.nonce }
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
        let mark = call.bears
        if let before, let mark, !mark.isBorne(by: Mark(service: before.service, nonce: before.nonce)) {
            return .failure(.init(.foreign, "\(name) is another's"))
        }
        switch call.action {
        case "container.ensure":
            let image = call.arguments["image"]?.asString ?? ""
            guard images.contains(image) else { return .failure(.init(.notFound, "no image \(image)")) }
            containers[name] = Container(
                service: mark?.service ?? name, image: image, isRunning: true,
                memory: call.arguments["memory_bytes"]?.asInteger ?? 0, nonce: before?.nonce ?? mark?.nonce)
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
        var state: JSONObject = [
            "id": .string("c-\(name)"), "name": .string(name), "service": .string(container.service),
            "state": container.isRunning ? "running" : "exited", "image": .string(container.image),
            "memory_bytes": .integer(container.memory),
        ]
        state["nonce"] = container.nonce.map { .string($0) }
        return state
    }

    func state(ofDataset name: String) -> JSONObject {
        guard let dataset = datasets[name] else { return ["dataset": .string(name), "present": false] }
        return [
            "dataset": .string(name), "mountpoint": .string("/\(name)"), "owner": .string(dataset.owner),
            "mark": Mark(service: dataset.owner, nonce: dataset.nonce).json,
            "quota_bytes": .integer(dataset.quota), "used_bytes": 4096,
        ]
    }
}

extension ActionCall {
    /// The mark that a call brings, read as the table of a driver does it.
    fileprivate var bears: Mark? {
        arguments["mark"]?["service"]?.asString.map {
            Mark(service: $0, nonce: arguments["mark"]?["nonce"]?.asString)
        }
    }
}
