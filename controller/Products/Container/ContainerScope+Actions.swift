import ControllerCore
import Store
import WireProtocol

/// The orders that the sagas of a container service are made of.
extension ContainerScope {
    private func docker(_ action: String, _ place: ContainerPlace, _ arguments: JSONObject) -> ActionRequest {
        var arguments = arguments
        arguments["name"] = .string(place.container)
        return ActionRequest(
            driver: "docker", action: action, resource: "docker/\(place.container)", arguments: arguments)
    }

    private func zfs(_ action: String, _ place: ContainerPlace, _ arguments: JSONObject) -> ActionRequest {
        var arguments = arguments
        arguments["dataset"] = .string(place.dataset)
        return ActionRequest(
            driver: "zfs", action: action, resource: "zfs/\(place.dataset)", arguments: arguments)
    }

    // MARK: data set

    /// The owner mark keeps both this and `destroyDataset` away from a data set of somebody else.
    func ensureDataset(_ place: ContainerPlace) -> ActionRequest {
        zfs("dataset.ensure", place, ["quota_bytes": .integer(spec.diskBytes), "owner": .string(service.id)])
    }

    func destroyDataset(_ place: ContainerPlace) -> ActionRequest {
        zfs("dataset.destroy", place, ["recursive": true, "owner": .string(service.id)])
    }

    func setQuota(_ place: ContainerPlace, to bytes: Int64) -> ActionRequest {
        zfs("dataset.quota", place, ["quota_bytes": .integer(bytes)])
    }

    func measureDataset(_ place: ContainerPlace) -> ActionRequest { zfs("dataset.usage", place, [:]) }

    func snapshotDataset(_ place: ContainerPlace, named name: String) -> ActionRequest {
        zfs("dataset.snapshot", place, ["snapshot": .string(name)])
    }

    // MARK: container

    /// Keeps an order away from a container of somebody else that has the same name.
    private var mine: JSONObject { ["service": .string(service.id)] }

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

    func ensureContainer(_ place: ContainerPlace, mountpoint: String) -> ActionRequest {
        var arguments: JSONObject = [
            "image": .string(spec.image), "memory_bytes": .integer(spec.memoryBytes),
            "cpu_millis": .integer(spec.cpuMillis), "network": .string(spec.network),
            "mounts": [["source": .string(mountpoint), "target": .string(spec.mountPath), "read_only": false]],
            "labels": ["innkeeper.service": .string(service.id)], "restart": "unless-stopped", "running": true,
        ]
        let ports = published(place)
        if !ports.isEmpty { arguments["ports"] = .array(ports) }
        if !spec.command.isEmpty { arguments["command"] = .array(spec.command.map { .string($0) }) }
        var order = docker("container.ensure", place, arguments)
        if !spec.environment.isEmpty { order.secrets = ["env": .strings(spec.environment)] }
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

    func startContainer(_ place: ContainerPlace) -> ActionRequest { docker("container.start", place, mine) }

    func stopContainer(_ place: ContainerPlace) -> ActionRequest {
        docker("container.stop", place, mine.merged(with: ["grace_s": 20]))
    }

    func removeContainer(_ place: ContainerPlace) -> ActionRequest {
        docker("container.remove", place, mine.merged(with: ["force": true]))
    }

    func limitContainer(_ place: ContainerPlace, to spec: ContainerSpec) -> ActionRequest {
        docker(
            "container.update", place,
            mine.merged(with: ["memory_bytes": .integer(spec.memoryBytes), "cpu_millis": .integer(spec.cpuMillis)]))
    }
}
