import AgentCommands
import WireProtocol

@testable import ControllerCore

extension Belongings {
    /// What the drivers do, on the model.
    mutating func apply(_ call: AgentCommand) -> Result<JSONObject, CommandErrorCode> {
        do {
            return .success(try run(call))
        } catch let code as CommandErrorCode {
            return .failure(code)
        } catch {
            return .failure(.invalidArgument)
        }
    }

    private mutating func run(_ call: AgentCommand) throws -> JSONObject {
        let arguments = call.arguments
        switch "\(call.driver).\(call.action)" {
        case "zfs.dataset.ensure": return try ensureDataset(arguments)
        case "zfs.dataset.quota":
            let name = try arguments.string("dataset")
            guard var dataset = datasets[name] else { throw CommandErrorCode.notFound }
            dataset.quota = try arguments.integer("quota_bytes")
            guard dataset.quota >= dataset.used else { throw CommandErrorCode.outOfSpace }
            datasets[name] = dataset
            return ["quota_bytes": .integer(dataset.quota)]
        case "zfs.dataset.usage":
            guard let dataset = datasets[try arguments.string("dataset")] else { throw CommandErrorCode.notFound }
            return ["used_bytes": .integer(dataset.used), "quota_bytes": .integer(dataset.quota)]
        case "zfs.dataset.snapshot":
            let (name, snapshot) = (try arguments.string("dataset"), try arguments.string("snapshot"))
            guard datasets[name] != nil else { throw CommandErrorCode.notFound }
            datasets[name]?.snapshots.insert(snapshot)
            return ["snapshot": .string(snapshot)]
        case "zfs.dataset.destroy": return try destroyDataset(arguments)
        case "docker.image.pull", "docker.image.import":
            images.insert(try arguments.string("reference"))
            return [:]
        case "docker.container.ensure": return try ensureContainer(arguments)
        case "docker.container.start", "docker.container.stop":
            let name = try arguments.string("name")
            try owns(name, arguments)
            containers[name]?.running = call.action == "container.start"
            return try observe(name)
        case "docker.container.update":
            let name = try arguments.string("name")
            try owns(name, arguments)
            containers[name]?.memory = try arguments.integer("memory_bytes")
            containers[name]?.cpu = try arguments.integer("cpu_millis")
            return try observe(name)
        case "docker.container.inspect": return try observe(try arguments.string("name"))
        case "docker.container.remove":
            let name = try arguments.string("name")
            if containers[name] != nil { try owns(name, arguments) }
            containers[name] = nil
            return [:]
        default: throw CommandErrorCode.unknownOperation
        }
    }

    private mutating func ensureDataset(_ arguments: JSONObject) throws -> JSONObject {
        let (name, owner) = (try arguments.string("dataset"), try arguments.string("owner"))
        if let there = datasets[name], there.owner != owner { throw CommandErrorCode.conflict }
        var dataset = datasets[name] ?? Dataset(quota: 0, used: 1000, owner: owner)
        dataset.quota = try arguments.integer("quota_bytes")
        datasets[name] = dataset
        return ["dataset": .string(name), "mountpoint": .string("/\(name)")]
    }

    private mutating func destroyDataset(_ arguments: JSONObject) throws -> JSONObject {
        let name = try arguments.string("dataset")
        guard let dataset = datasets[name] else { return [:] }
        guard dataset.owner == (try arguments.string("owner")) else { throw CommandErrorCode.conflict }
        guard !containers.values.contains(where: { $0.mount == "/\(name)" }) else { throw CommandErrorCode.busy }
        let recursive = try arguments.bool("recursive")
        guard dataset.snapshots.isEmpty || recursive else { throw CommandErrorCode.conflict }
        datasets[name] = nil
        return [:]
    }

    private mutating func ensureContainer(_ arguments: JSONObject) throws -> JSONObject {
        let name = try arguments.string("name")
        let service = try arguments.object("labels").string("innkeeper.service")
        let image = try arguments.string("image")
        guard images.contains(image) else { throw CommandErrorCode.notFound }
        let mount = try arguments.array("mounts").first?.asObject?.string("source") ?? ""
        guard datasets.keys.contains(where: { "/\($0)" == mount }) else { throw CommandErrorCode.invalidArgument }
        if let there = containers[name], there.service != service { throw CommandErrorCode.conflict }
        containers[name] = Container(
            image: image, memory: try arguments.integer("memory_bytes"), cpu: try arguments.integer("cpu_millis"),
            running: try arguments.bool("running"), service: service, mount: mount)
        return try observe(name)
    }

    private func owns(_ name: String, _ arguments: JSONObject) throws {
        guard let container = containers[name] else { throw CommandErrorCode.notFound }
        guard container.service == (try arguments.string("service")) else { throw CommandErrorCode.conflict }
    }

    private func observe(_ name: String) throws -> JSONObject {
        guard let container = containers[name] else { throw CommandErrorCode.notFound }
        return ["state": container.running ? "running" : "exited", "memory_bytes": .integer(container.memory)]
    }
}
