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
        case "zfs.dataset.ensure": return try ensureDataset(arguments, by: call.id)
        case "zfs.dataset.list":
            let name = try arguments.string("dataset")
            guard datasets[name] != nil else { throw CommandErrorCode.notFound }
            return ["datasets": [.object(observe(dataset: name))]]
        case "zfs.dataset.mark":
            let name = try arguments.string("dataset")
            guard let dataset = datasets[name] else { throw CommandErrorCode.notFound }
            let mark = try arguments.object("mark")
            if !dataset.owner.isEmpty { try check(dataset.owner, dataset.nonce, arguments) }
            datasets[name]?.owner = try mark.string("service")
            datasets[name]?.nonce = dataset.nonce ?? mark["nonce"]?.asString ?? call.id
            return observe(dataset: name)
        case "zfs.dataset.quota":
            let name = try arguments.string("dataset")
            try check(dataset: name, arguments)
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
            try check(dataset: name, arguments)
            datasets[name]?.snapshots.insert(snapshot)
            return ["snapshot": .string(snapshot)]
        case "zfs.dataset.destroy": return try destroyDataset(arguments)
        case "docker.image.pull", "docker.image.import":
            images.insert(try arguments.string("reference"))
            return [:]
        case "docker.container.ensure": return try ensureContainer(arguments, by: call.id)
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

    private mutating func ensureDataset(_ arguments: JSONObject, by command: String) throws -> JSONObject {
        let name = try arguments.string("dataset")
        let (owner, nonce) = try mark(arguments, "owner", by: command)
        if datasets[name] != nil { try check(dataset: name, arguments) }
        var dataset = datasets[name] ?? Dataset(quota: 0, used: 1000, owner: owner, nonce: nonce)
        dataset.quota = try arguments.integer("quota_bytes")
        datasets[name] = dataset
        return observe(dataset: name)
    }

    private mutating func destroyDataset(_ arguments: JSONObject) throws -> JSONObject {
        let name = try arguments.string("dataset")
        guard let dataset = datasets[name] else { return [:] }
        try check(dataset: name, arguments)
        guard !containers.values.contains(where: { $0.mount == "/\(name)" }) else { throw CommandErrorCode.busy }
        let recursive = try arguments.bool("recursive")
        guard dataset.snapshots.isEmpty || recursive else { throw CommandErrorCode.conflict }
        datasets[name] = nil
        return [:]
    }

    private mutating func ensureContainer(_ arguments: JSONObject, by command: String) throws -> JSONObject {
        let name = try arguments.string("name")
        let (service, nonce) = try mark(arguments, "innkeeper.service", by: command)
        let image = try arguments.string("image")
        guard images.contains(image) else { throw CommandErrorCode.notFound }
        let mount = try arguments.array("mounts").first?.asObject?.string("source") ?? ""
        guard datasets.keys.contains(where: { "/\($0)" == mount }) else { throw CommandErrorCode.invalidArgument }
        if containers[name] != nil { try owns(name, arguments) }
        containers[name] = Container(
            image: image, memory: try arguments.integer("memory_bytes"), cpu: try arguments.integer("cpu_millis"),
            running: try arguments.bool("running"), service: service, mount: mount,
            nonce: containers[name]?.nonce ?? nonce)
        return try observe(name)
    }

    /// What a new thing bears: the mark of the call, or the name of the owner, as version 0.1.0 gave it.
    private func mark(
        _ arguments: JSONObject, _ owner: String, by command: String
    ) throws -> (service: String, nonce: String?) {
        if let mark = arguments["mark"]?.asObject {
            return (try mark.string("service"), mark["nonce"]?.asString ?? command)
        }
        let labels = try arguments.optionalObject("labels") ?? arguments
        // Containers have always borne the command that made them.
        return (try labels.string(owner), owner == "owner" ? nil : command)
    }

    private func check(dataset name: String, _ arguments: JSONObject) throws {
        if let dataset = datasets[name] { try check(dataset.owner, dataset.nonce, arguments) }
    }

    private func owns(_ name: String, _ arguments: JSONObject) throws {
        guard let container = containers[name] else { throw CommandErrorCode.notFound }
        try check(container.service, container.nonce, arguments)
    }

    /// Compares what a thing bears with what a call brings. A change that brings no mark is one of version 0.1.0.
    private func check(_ service: String, _ nonce: String?, _ arguments: JSONObject) throws {
        if let mark = arguments["mark"]?.asObject {
            guard service == (try mark.string("service")) else { throw CommandErrorCode.foreign }
            if let wanted = mark["nonce"]?.asString, let nonce, wanted != nonce { throw CommandErrorCode.foreign }
        } else {
            let owner = arguments["owner"] ?? arguments["service"] ?? arguments["labels"]?["innkeeper.service"]
            if let owner, owner.asString != service { throw CommandErrorCode.conflict }
        }
    }

    func observe(dataset name: String) -> JSONObject {
        guard let dataset = datasets[name] else { return [:] }
        var seen: JSONObject = [
            "dataset": .string(name), "mountpoint": .string("/\(name)"), "quota_bytes": .integer(dataset.quota),
        ]
        guard !dataset.owner.isEmpty else { return seen }
        var mark: JSONObject = ["service": .string(dataset.owner)]
        mark["nonce"] = dataset.nonce.map { .string($0) }
        (seen["owner"], seen["mark"]) = (.string(dataset.owner), .object(mark))
        return seen
    }

    func observe(_ name: String) throws -> JSONObject {
        guard let container = containers[name] else { throw CommandErrorCode.notFound }
        var seen: JSONObject = [
            "state": container.running ? "running" : "exited", "memory_bytes": .integer(container.memory),
            "image": .string(container.image), "service": .string(container.service),
        ]
        seen["nonce"] = container.nonce.map { .string($0) }
        return seen
    }
}
