package import WireProtocol

/// The containers and data sets of a simulated node. Every order that a saga gives is done at once and succeeds.
package struct SimulatedEngine: Sendable {
    private struct Container: Sendable {
        var service: String
        var image: String
        var memory: Int64
        var isRunning: Bool
    }

    private var containers: [String: Container] = [:]
    private var datasets: [String: Int64] = [:]

    package var containerNames: Set<String> { Set(containers.keys) }
    package var datasetNames: Set<String> { Set(datasets.keys) }

    /// What an inventory says of the containers.
    var items: [Inventory.Item] {
        containers.keys.sorted().map { Inventory.Item(resource: "docker/\($0)", state: state(of: $0)) }
    }

    mutating func perform(_ command: Command, at time: Int64) -> CommandResult {
        let before = (containers.count, datasets.count)
        let observed = observation(command)
        guard let observed else {
            return CommandResult(
                id: command.id, status: .failed, changed: false,
                error: CommandError(
                    code: .notFound, message: "there is no \(command.resource)", retryable: false,
                    operation: command.operation, resource: command.resource), finished: time)
        }
        let isChange = before != (containers.count, datasets.count) || command.driver == "docker"
        return CommandResult(
            id: command.id, status: .succeeded, changed: isChange, observed: observed, started: time, finished: time)
    }

    /// Nil for something that is not there.
    private mutating func observation(_ command: Command) -> JSONObject? {
        let name = command.arguments["name"]?.asString ?? ""
        let dataset = command.arguments["dataset"]?.asString ?? ""
        switch "\(command.driver).\(command.operation)" {
        case "docker.container.ensure": return ensure(name, command.arguments)
        case "docker.container.start": return change(name) { $0.isRunning = true }
        case "docker.container.stop": return change(name) { $0.isRunning = false }
        case "docker.container.update":
            return change(name) { $0.memory = command.arguments["memory_bytes"]?.asInteger ?? $0.memory }
        case "docker.container.inspect": return containers[name] == nil ? nil : state(of: name)
        case "docker.container.remove":
            containers[name] = nil
            return ["name": .string(name), "present": false]
        case "zfs.dataset.ensure", "zfs.dataset.quota":
            datasets[dataset] = command.arguments["quota_bytes"]?.asInteger ?? 0
            return describe(dataset)
        case "zfs.dataset.destroy":
            datasets[dataset] = nil
            return ["dataset": .string(dataset), "present": false]
        case "zfs.dataset.usage": return datasets[dataset] == nil ? nil : describe(dataset)
        default: return ["resource": .string(command.resource)]
        }
    }

    private mutating func ensure(_ name: String, _ arguments: JSONObject) -> JSONObject {
        containers[name] = Container(
            service: arguments["labels"]?["innkeeper.service"]?.asString ?? name,
            image: arguments["image"]?.asString ?? "", memory: arguments["memory_bytes"]?.asInteger ?? 0,
            isRunning: true)
        return state(of: name)
    }

    private mutating func change(_ name: String, _ body: (inout Container) -> Void) -> JSONObject? {
        guard var container = containers[name] else { return nil }
        body(&container)
        containers[name] = container
        return state(of: name)
    }

    private func state(of name: String) -> JSONObject {
        guard let container = containers[name] else { return [:] }
        return [
            "id": .string("simulated-\(name)"), "name": .string(name), "service": .string(container.service),
            "state": .string(container.isRunning ? "running" : "exited"), "image": .string(container.image),
            "memory_bytes": .integer(container.memory),
        ]
    }

    private func describe(_ dataset: String) -> JSONObject {
        [
            "dataset": .string(dataset), "mountpoint": .string("/\(dataset)"), "mounted": true,
            "quota_bytes": .integer(datasets[dataset] ?? 0), "used_bytes": 24_576,
        ]
    }
}

extension DriverReport {
    /// The drivers of a node on which services are placed.
    package static let services = [
        DriverReport(
            name: "host", version: "1", operations: ["system.info"],
            facts: ["processors": 64, "memory_bytes": .integer(256 << 30)]),
        DriverReport(name: "docker", version: "20.10", operations: ["container.ensure"]),
        DriverReport(
            name: "zfs", version: "2.1", operations: ["dataset.ensure"],
            facts: [
                "pools": [["name": "tank", "size_bytes": .integer(4 << 40), "free_bytes": .integer(4 << 40)]]
            ]),
    ]
}
