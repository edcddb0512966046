import DriverKit
import Glibc
import Model
import WireProtocol

/// What a container is to be: the arguments of `container.ensure`, checked.
struct ContainerSpec: Sendable {
    struct Mount: Sendable, Hashable {
        var source: String
        var target: String
        var isReadOnly: Bool
    }

    struct Port: Sendable, Hashable {
        var hostAddress: String
        /// 0 lets the engine choose.
        var host: Int64
        var container: Int64
        var transport: String
    }

    var name: String
    var image: String
    var command: [String]?
    var environment: [String: String]
    var limits: ContainerLimits
    var mounts: [Mount]
    var network: String
    var ports: [Port]
    var labels: [String: String]
    var runs: Bool
    var replaces: Bool

    var owner: String { labels[ContainerState.ownerLabel] ?? name }

    /// - Parameter secrets: `env` in it holds variables that nobody may log.
    init(_ arguments: JSONObject, secrets: JSONObject) throws(DriverError) {
        var reader = ArgumentReader(arguments)
        name = try reader.name("name", .containerName)
        image = try reader.name("image", .imageReference)
        command = try reader.strings("command")
        environment = try Self.environment(try reader.object("env"), "env")
        limits = try ContainerLimits(reading: &reader)
        limits.pids = limits.pids ?? ContainerLimits.defaultPids
        limits.restart =
            try reader.optional("restart", "no, always, unless-stopped, on-failure or on-failure:N") {
                $0.asString.flatMap { RestartPolicy($0) }
            } ?? RestartPolicy("unless-stopped")
        mounts = try Self.list(reader.value("mounts"), "mounts", Self.mount)
        network = try reader.optionalName("network", .containerName) ?? "none"
        ports = try Self.list(reader.value("ports"), "ports", Self.port)
        labels = try Self.labels(try reader.object("labels"))
        runs = try reader.bool("running", default: true)
        replaces = try reader.bool("replace", default: false)
        try reader.finish()
        if !ports.isEmpty, ["none", "host"].contains(network) {
            throw .invalidArgument("ports", "cannot be published on network \(network)")
        }
        environment.merge(try Self.environment(secrets["env"]?.asObject, "secrets.env")) { $1 }
        labels[ContainerState.ownerLabel] = labels[ContainerState.ownerLabel] ?? name
    }

    private static func environment(_ object: JSONObject?, _ argument: String) throws(DriverError) -> [String: String] {
        var result: [String: String] = [:]
        for member in object?.members ?? [] {
            guard Grammar.environmentName.accepts(member.key) else {
                throw .invalidArgument(argument, "holds a name that is no environment variable")
            }
            guard let text = member.value.asString, !text.utf8.contains(0) else {
                throw .invalidArgument("\(argument).\(member.key)", "must be a string without NUL")
            }
            result[member.key] = text
        }
        return result
    }

    private static func labels(_ object: JSONObject?) throws(DriverError) -> [String: String] {
        var result: [String: String] = [:]
        for member in object?.members ?? [] {
            guard Grammar.labelKey.accepts(member.key), let text = member.value.asString, text.utf8.count <= 4096 else {
                throw .invalidArgument("labels", "holds what is no label: \(member.key.printable(limit: 64))")
            }
            // By them a container would pass for one of the agent's, or of a project.
            guard member.key != ContainerState.commandLabel, !member.key.hasPrefix("com.docker.compose.") else {
                throw .invalidArgument("labels", "must leave \(member.key) to the agent and to compose")
            }
            result[member.key] = text
        }
        return result
    }

    private static func list<Element>(
        _ value: JSONValue?, _ name: String, _ make: (inout ArgumentReader) throws(DriverError) -> Element
    ) throws(DriverError) -> [Element] {
        guard let value else { return [] }
        guard let entries = value.asArray, entries.count <= 64 else {
            throw .invalidArgument(name, "must be a list of at most 64 objects")
        }
        var result: [Element] = []
        for entry in entries {
            guard let object = entry.asObject else { throw .invalidArgument(name, "must be a list of objects") }
            var reader = ArgumentReader(object)
            result.append(try make(&reader))
            try reader.finish()
        }
        return result
    }

    private static func mount(_ reader: inout ArgumentReader) throws(DriverError) -> Mount {
        let source = try reader.name("source", .absolutePath)
        let target = try reader.name("target", .absolutePath)
        guard target != "/" else { throw .invalidArgument("target", "cannot be the root of the container") }
        return Mount(source: source, target: target, isReadOnly: try reader.bool("read_only", default: false))
    }

    private static func port(_ reader: inout ArgumentReader) throws(DriverError) -> Port {
        let address = try reader.optional("host_ip", "an IP address") { value -> String? in
            value.asString.flatMap { isAddress($0) ? $0 : nil }
        }
        return Port(
            // What the engine publishes passes the host's firewall: only on the loopback unless asked otherwise.
            hostAddress: address ?? "127.0.0.1", host: try reader.optionalInteger("host", in: 0...65535) ?? 0,
            container: try reader.integer("container", in: 1...65535),
            transport: try reader.optional("protocol", "tcp or udp") { value -> String? in
                value.asString.flatMap { ["tcp", "udp"].contains($0) ? $0 : nil }
            } ?? "tcp")
    }

    private static func isAddress(_ text: String) -> Bool {
        var room = in6_addr()
        return inet_pton(AF_INET, text, &room) == 1 || inet_pton(AF_INET6, text, &room) == 1
    }
}

/// `no`, `always`, `unless-stopped`, `on-failure` or `on-failure:N`.
struct RestartPolicy: Sendable, Hashable {
    let text: String

    init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let counts =
            parts.count == 2 && parts[0] == "on-failure" && Int(parts[1]).map { (1...1000).contains($0) } == true
        guard counts || ["no", "always", "unless-stopped", "on-failure"].contains(text) else { return nil }
        self.text = text
    }

    var body: JSONObject {
        let parts = text.split(separator: ":")
        var object: JSONObject = ["Name": .string(String(parts[0]))]
        if parts.count == 2, let count = Int64(parts[1]) { object["MaximumRetryCount"] = .integer(count) }
        return object
    }
}

/// What the engine changes in a living container.
struct ContainerLimits: Sendable, Hashable {
    /// Bounds a fork bomb to its own container.
    static let defaultPids: Int64 = 4096

    var memory: Int64?
    /// Thousandths of a core.
    var cpu: Int64?
    var pids: Int64?
    var restart: RestartPolicy?

    init(reading reader: inout ArgumentReader) throws(DriverError) {
        memory = try reader.optionalInteger("memory_bytes", in: (6 << 20)...(1 << 50))
        cpu = try reader.optionalInteger("cpu_millis", in: 10...1_000_000)
        pids = try reader.optionalInteger("pids", in: 1...4_194_304)
    }

    var isEmpty: Bool { memory == nil && cpu == nil && pids == nil && restart == nil }

    /// The fields of a creation or an update. Memory and memory with swap go together: the engine refuses a memory
    /// limit above the other, and a container must not gain swap by being given memory.
    func body(quota: Bool = false) -> JSONObject {
        var object: JSONObject = [:]
        if let memory {
            object["Memory"] = .integer(memory)
            object["MemorySwap"] = .integer(memory)
        }
        if let cpu, quota {
            object["CpuPeriod"] = 100_000
            object["CpuQuota"] = .integer(cpu * 100)
        } else if let cpu {
            object["NanoCpus"] = .integer(cpu * 1_000_000)
        }
        object["PidsLimit"] = pids.map { .integer($0) }
        object["RestartPolicy"] = restart.map { .object($0.body) }
        return object
    }

    /// The limits that this container does not have yet.
    func missing(in state: ContainerState) -> ContainerLimits {
        var rest = self
        // 0 and -1 are what a kernel without swap accounting leaves.
        let swaps = ![memory ?? 0, 0, -1].contains(state.memoryAndSwapLimit)
        if memory == state.memoryLimit, !swaps { rest.memory = nil }
        if cpu == state.cpuLimit { rest.cpu = nil }
        if pids == state.pidsLimit { rest.pids = nil }
        if restart?.text == state.restartPolicy { rest.restart = nil }
        return rest
    }
}
