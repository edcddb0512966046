import ControllerCore
import Saga
import Store
import WireProtocol

/// The orders that the sagas of a container service are made of.
extension ContainerScope {
    /// An order on the container. Its mark keeps it away from one of somebody else that has the same name.
    private func docker(_ action: String, _ place: ContainerPlace, _ arguments: JSONObject) -> ContainerOrder {
        var order = ContainerOrder(
            ActionRequest(
                driver: "docker", action: action, resource: "docker/\(place.container)", arguments: arguments),
            on: .container)
        order.request.arguments["name"] = .string(place.container)
        if let nonces = place.nonces {
            order.mark = mark(nonces.container)
        } else if action == "container.ensure" {
            order.request.arguments["labels"] = ["innkeeper.service": .string(service.id)]
        } else {
            order.request.arguments["service"] = .string(service.id)
        }
        return order
    }

    /// - Parameter hasOwner: of a node without marks: which names an owner.
    private func zfs(
        _ action: String, _ place: ContainerPlace, _ arguments: JSONObject, hasOwner: Bool = false
    ) -> ContainerOrder {
        var order = ContainerOrder(
            ActionRequest(driver: "zfs", action: action, resource: "zfs/\(place.dataset)", arguments: arguments),
            on: .dataset)
        order.request.arguments["dataset"] = .string(place.dataset)
        if let nonces = place.nonces {
            order.mark = mark(nonces.dataset)
        } else if hasOwner {
            order.request.arguments["owner"] = .string(service.id)
        }
        return order
    }

    func send(
        _ order: ContainerOrder, to node: String, _ call: StepCall
    ) async throws(StepFailure) -> JSONObject {
        guard let mark = order.mark else { return try await send(order.request, to: node, call) }
        return try await send(order.request, marked: mark, as: order.noun.rawValue, to: node, call)
    }

    // MARK: data set

    func ensureDataset(_ place: ContainerPlace) -> ContainerOrder {
        zfs("dataset.ensure", place, ["quota_bytes": .integer(spec.diskBytes)], hasOwner: true)
    }

    func destroyDataset(_ place: ContainerPlace) -> ContainerOrder {
        zfs("dataset.destroy", place, ["recursive": true], hasOwner: true)
    }

    func setQuota(_ place: ContainerPlace, to bytes: Int64) -> ContainerOrder {
        zfs("dataset.quota", place, ["quota_bytes": .integer(bytes)])
    }

    /// Changes nothing, and looks at no mark.
    func measureDataset(_ place: ContainerPlace) -> ActionRequest {
        ActionRequest(
            driver: "zfs", action: "dataset.usage", resource: "zfs/\(place.dataset)",
            arguments: ["dataset": .string(place.dataset)])
    }

    func snapshotDataset(_ place: ContainerPlace, named name: String) -> ContainerOrder {
        zfs("dataset.snapshot", place, ["snapshot": .string(name)])
    }

    // MARK: container

    func ensureImage() -> ActionRequest {
        var order = ActionRequest(
            driver: "docker", action: "image.pull", resource: "docker/image/\(spec.image)",
            arguments: ["reference": .string(spec.image)], isShared: true)
        if let tar = spec.imageTar {
            order.action = "image.import"
            order.arguments["path"] = .string(tar)
        }
        return order
    }

    func ensureContainer(_ place: ContainerPlace, mountpoint: String) -> ContainerOrder {
        var arguments: JSONObject = [
            "image": .string(spec.image), "memory_bytes": .integer(spec.memoryBytes),
            "cpu_millis": .integer(spec.cpuMillis), "network": .string(spec.network),
            "mounts": [["source": .string(mountpoint), "target": .string(spec.mountPath), "read_only": false]],
            "restart": "unless-stopped", "running": true,
        ]
        let ports = published(place)
        if !ports.isEmpty { arguments["ports"] = .array(ports) }
        if !spec.command.isEmpty { arguments["command"] = .array(spec.command.map { .string($0) }) }
        var order = docker("container.ensure", place, arguments)
        if !spec.environment.isEmpty { order.request.secrets = ["env": .strings(spec.environment)] }
        return order
    }

    private func published(_ place: ContainerPlace) -> [JSONValue] {
        spec.ports.compactMap { wanted in
            guard let port = place.ports[wanted.slot] else { return nil }
            var published: JSONObject = [
                "container": .integer(wanted.container), "host": .integer(port),
                "protocol": .string(wanted.transport.rawValue),
            ]
            published["host_ip"] = wanted.address.map { .string($0) }
            return .object(published)
        }
    }

    func startContainer(_ place: ContainerPlace) -> ContainerOrder { docker("container.start", place, [:]) }

    func stopContainer(_ place: ContainerPlace) -> ContainerOrder {
        docker("container.stop", place, ["grace_s": 20])
    }

    func removeContainer(_ place: ContainerPlace) -> ContainerOrder {
        docker("container.remove", place, ["force": true])
    }

    func limitContainer(_ place: ContainerPlace, to spec: ContainerSpec) -> ContainerOrder {
        docker(
            "container.update", place,
            ["memory_bytes": .integer(spec.memoryBytes), "cpu_millis": .integer(spec.cpuMillis)])
    }
}

/// An order on one of the things of a service, and whose that is.
struct ContainerOrder {
    enum Noun: String { case container, dataset }

    var request: ActionRequest
    var noun: Noun
    /// Nil on a node whose agent knows no marks.
    var mark: ThingMark?

    init(_ request: ActionRequest, on noun: Noun) { (self.request, self.noun) = (request, noun) }
}
