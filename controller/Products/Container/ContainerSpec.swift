import ControllerCore
package import Placement
package import WireProtocol

/// What a plan promises: a container with its limits and its data set.
package struct ContainerSpec: Sendable, Hashable {
    package var image: String
    /// A tar of the image on the node, imported there when the image is missing.
    package var imageTar: String?
    /// Empty: the image's own.
    package var command: [String]
    package var environment: [String: String]
    package var memoryBytes: Int64
    package var cpuMillis: Int64
    package var diskBytes: Int64
    /// `none`, `host`, `bridge` or the name of a network.
    package var network: String
    /// Ports of the container that can be reached from outside it. Which ports of the node they are is allocated.
    package var ports: [PortSpec]
    /// Where the data set appears in the container.
    package var mountPath: String
    /// The pool to use; nil lets the placement choose.
    package var pool: String?
    package var strategy: PlacementStrategy
    /// Labels that the node must carry.
    package var nodeLabels: [String: String]
    /// The service's own labels, for people and billing systems.
    package var labels: [String: String]
    /// Whether a container that is found stopped or missing is brought back without being asked.
    package var repairs: Bool

    package var resources: Resources {
        Resources(cpuMillis: cpuMillis, memoryBytes: memoryBytes, diskBytes: diskBytes)
    }

    package var demand: Demand {
        Demand(
            resources: resources, drivers: ["docker", "zfs"], labels: nodeLabels, pool: pool,
            things: ["none", "host"].contains(network) ? [] : [.dockerNetwork(network)], strategy: strategy)
    }
}

extension ContainerSpec {
    /// Docker takes no less than 6 MiB.
    package static let memory: ClosedRange<Int64> = (6 << 20)...(1 << 50)
    package static let cpu: ClosedRange<Int64> = 10...1_000_000
    package static let disk: ClosedRange<Int64> = (1 << 20)...(1 << 50)

    package var json: JSONObject {
        var json: JSONObject = [
            "driver": "docker", "image": .string(image), "memory_bytes": .integer(memoryBytes),
            "cpu_millis": .integer(cpuMillis), "disk_bytes": .integer(diskBytes), "network": .string(network),
            "mount_path": .string(mountPath),
            "placement": ["strategy": .string(strategy.rawValue), "labels": .strings(nodeLabels)],
            "repair": .bool(repairs),
        ]
        if let imageTar { json["image_tar"] = .string(imageTar) }
        if !ports.isEmpty { json["ports"] = .array(ports.map(\.json)) }
        if !command.isEmpty { json["command"] = .array(command.map { .string($0) }) }
        if !environment.isEmpty { json["env"] = .strings(environment) }
        if let pool { json["pool"] = .string(pool) }
        if !labels.isEmpty { json["labels"] = .strings(labels) }
        return json
    }
}

extension ContainerSpec {
    /// Of a service that is only removed.
    static let none = ContainerSpec(
        image: "none", imageTar: nil, command: [], environment: [:], memoryBytes: memory.lowerBound,
        cpuMillis: cpu.lowerBound, diskBytes: disk.lowerBound, network: "none", ports: [], mountPath: "/data",
        pool: nil,
        strategy: .spread, nodeLabels: [:], labels: [:], repairs: false)
}
