import DriverKit
import Model
import WireProtocol

/// A container as the engine's inspection shows it.
struct ContainerState: Sendable, Hashable {
    static let ownerLabel = "innkeeper.service"
    /// The id of the command that created it.
    static let commandLabel = "innkeeper.command"
    /// The nonce of a mark, where a call brought one; else the command is it.
    static let nonceLabel = "innkeeper.nonce"
    /// What the mark was made for: an image that is made of a container takes its labels along.
    static let nameLabel = "innkeeper.name"
    /// Labels that only the agent puts.
    static let ownLabels: Set<String> = [commandLabel, nonceLabel, nameLabel]

    var id: String
    var name: String
    /// created, running, paused, restarting, removing, exited or dead.
    var status: String
    var pid: Int64
    var exitCode: Int64
    /// Why the runtime could not start it; empty otherwise.
    var startError: String
    var outOfMemory: Bool
    /// As the engine writes it, to the nanosecond: part of the epoch of counters.
    var startedText: String
    var finishedText: String
    var restarts: Int64
    /// What it was created from, by name.
    var image: String
    var imageID: String
    var labels: [String: String]
    var health: String?
    var hasTerminal: Bool
    var config: JSONObject
    var host: JSONObject
    var addresses: [String: String]
    /// Names of the networks that it is to be in, also while it does not run.
    var networks: [String]

    init?(_ value: JSONValue) {
        guard let id = value["Id"]?.asString, let name = value["Name"]?.asString, let state = value["State"]?.asObject,
            let status = state["Status"]?.asString
        else { return nil }
        self.id = id
        self.name = String(name.drop { $0 == "/" })
        self.status = status
        pid = state["Pid"]?.asInteger ?? 0
        exitCode = state["ExitCode"]?.asInteger ?? 0
        startError = (state["Error"]?.asString ?? "").printable(limit: 500)
        outOfMemory = state["OOMKilled"]?.asBool ?? false
        startedText = state["StartedAt"]?.asString ?? ""
        finishedText = state["FinishedAt"]?.asString ?? ""
        health = state["Health"]?["Status"]?.asString
        restarts = value["RestartCount"]?.asInteger ?? 0
        imageID = value["Image"]?.asString ?? ""
        config = value["Config"]?.asObject ?? [:]
        host = value["HostConfig"]?.asObject ?? [:]
        image = config["Image"]?.asString ?? ""
        hasTerminal = config["Tty"]?.asBool ?? false
        labels = (config["Labels"]?.asObject ?? [:]).texts
        networks = value["NetworkSettings"]?["Networks"]?.asObject?.keys ?? []
        addresses = (value["NetworkSettings"]?["Networks"]?.asObject ?? [:]).members.reduce(into: [:]) {
            if let address = $1.value["IPAddress"]?.asString, !address.isEmpty { $0[$1.key] = address }
        }
    }

    var isRunning: Bool { ["running", "paused", "restarting"].contains(status) }
    var owner: String? { labels[Self.ownerLabel] }
    /// By whichever of the engine's two forms.
    var hasMounts: Bool { ["Mounts", "Binds"].contains { !(host[$0]?.asArray ?? []).isEmpty } }
    var command: String? { labels[Self.commandLabel] }
    /// Bytes; 0 is no limit.
    var memoryLimit: Int64 { host["Memory"]?.asInteger ?? 0 }
    var memoryAndSwapLimit: Int64 { host["MemorySwap"]?.asInteger ?? 0 }
    var pidsLimit: Int64 { max(0, host["PidsLimit"]?.asInteger ?? 0) }
    /// Thousandths of a core; 0 is no limit.
    var cpuLimit: Int64 {
        let nano = host["NanoCpus"]?.asInteger ?? 0
        let (quota, period) = (host["CpuQuota"]?.asInteger ?? 0, host["CpuPeriod"]?.asInteger ?? 0)
        return nano > 0
            ? nano / 1_000_000 : quota > 0 ? min(quota, .max / 1000) * 1000 / (period > 0 ? period : 100_000) : 0
    }
    var network: String { host["NetworkMode"]?.asString ?? "" }
    var restartPolicy: String {
        let policy = host["RestartPolicy"]
        let name = policy?["Name"]?.asString ?? ""
        let count = policy?["MaximumRetryCount"]?.asInteger ?? 0
        return name.isEmpty ? "no" : name == "on-failure" && count > 0 ? "on-failure:\(count)" : name
    }
    /// The same only for one run of one container.
    var epoch: String { "\(id.prefix(12))@\(startedText)" }

    /// What results and inventories say of it; environment and command stay out, they may hold secrets.
    var observed: JSONObject {
        var object: JSONObject = [
            "id": .string(id), "name": .string(name), "state": .string(status), "image": .string(image),
            "image_id": .string(imageID), "memory_bytes": .integer(memoryLimit), "cpu_millis": .integer(cpuLimit),
            "pids": .integer(pidsLimit), "network": .string(network), "restart": .string(restartPolicy),
            "restarts": .integer(restarts),
        ]
        object["service"] = owner.map { .string($0) }
        object["nonce"] = labels.nonce(on: name).map { .string($0) }
        object["started_at"] = Self.time(startedText)
        object["health"] = health.map { .string($0) }
        if !addresses.isEmpty {
            object["addresses"] = .object(JSONObject(addresses.sorted { $0.key < $1.key }.map { ($0, .string($1)) }))
        }
        if !isRunning {
            object["exit_code"] = .integer(exitCode)
            object["finished_at"] = Self.time(finishedText)
            object["out_of_memory"] = outOfMemory ? true : nil
            object["error"] = startError.isEmpty ? nil : .string(startError)
        }
        return object
    }

    /// The engine writes year 1 for "never".
    static func time(_ text: String) -> JSONValue? {
        guard let time = Timestamp(iso8601: text), time.milliseconds > 0 else { return nil }
        return .integer(time.milliseconds)
    }
}

/// One container of a listing: less than an inspection, much cheaper.
struct ContainerEntry: Sendable, Hashable {
    var id: String
    var name: String
    var state: String
    var image: String
    var imageID: String
    var labels: [String: String]
    var network: String
    /// Names and ids of the networks that it is to be in, also while it does not run.
    var networks: [String]
    var created: Timestamp
    var ports: [PublishedPort]
    /// Folders and files of the node that it sees.
    var binds: [NodeBind]

    init?(_ value: JSONValue) {
        let names = (value["Names"]?.asArray ?? []).compactMap { $0.asString?.drop { $0 == "/" } }
        // Containers that link to it list it by names of their own, `/other/alias`, in any order.
        guard let id = value["Id"]?.asString, let name = names.first(where: { !$0.contains("/") }) ?? names.first else {
            return nil
        }
        self.id = id
        self.name = String(name)
        state = value["State"]?.asString ?? "unknown"
        image = value["Image"]?.asString ?? ""
        imageID = value["ImageID"]?.asString ?? ""
        labels = (value["Labels"]?.asObject ?? [:]).texts
        network = value["HostConfig"]?["NetworkMode"]?.asString ?? ""
        let places = value["NetworkSettings"]?["Networks"]?.asObject?.members ?? []
        networks = places.flatMap { [$0.key, $0.value["NetworkID"]?.asString ?? ""] } + [network]
        created = Timestamp(milliseconds: min(value["Created"]?.asInteger ?? 0, .max / 1000) * 1000)
        ports = value["Ports"]?.asArray?.compactMap(PublishedPort.init) ?? []
        binds = value["Mounts"]?.asArray?.compactMap(NodeBind.init) ?? []
    }

    var project: String? { labels[ComposeLabel.project] }

    var command: String? { labels[ContainerState.commandLabel] }

    var observed: JSONObject {
        var object: JSONObject = [
            "id": .string(id), "name": .string(name), "state": .string(state), "image": .string(image),
        ]
        object["service"] = labels[ContainerState.ownerLabel].map { .string($0) }
        object["nonce"] = labels.nonce(on: name).map { .string($0) }
        return object
    }
}

/// A port of the node that leads into a container.
struct PublishedPort: Sendable, Hashable {
    var address: String
    var host: Int64
    var container: Int64
    /// tcp, udp or sctp.
    var transport: String

    /// Nil for one that is not published.
    init?(_ value: JSONValue) {
        guard let host = value["PublicPort"]?.asInteger, let container = value["PrivatePort"]?.asInteger else {
            return nil
        }
        self.host = host
        self.container = container
        address = value["IP"]?.asString ?? "0.0.0.0"
        transport = value["Type"]?.asString ?? "tcp"
    }

    var observed: JSONObject {
        [
            "host_ip": .string(address), "host": .integer(host), "container": .integer(container),
            "protocol": .string(transport),
        ]
    }
}

/// An image as its inspection shows it.
struct ImageState: Sendable, Hashable {
    var id: String
    var tags: [String]
    var size: Int64
    var created: String
    var command: [String]
    var environment: [String]

    init?(_ value: JSONValue) {
        guard let id = value["Id"]?.asString else { return nil }
        self.id = id
        tags = value["RepoTags"]?.asArray?.compactMap(\.asString) ?? []
        size = value["Size"]?.asInteger ?? 0
        created = value["Created"]?.asString ?? ""
        command = value["Config"]?["Cmd"]?.asArray?.compactMap(\.asString) ?? []
        environment = value["Config"]?["Env"]?.asArray?.compactMap(\.asString) ?? []
    }

    var observed: JSONObject {
        var object: JSONObject = [
            "id": .string(id), "tags": .array(tags.map { .string($0) }), "size_bytes": .integer(size),
        ]
        object["created_at"] = ContainerState.time(created)
        return object
    }
}

extension JSONObject {
    var texts: [String: String] {
        members.reduce(into: [:]) { texts, member in texts[member.key] = member.value.asString }
    }
}
