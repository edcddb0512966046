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
    /// What a new one bears.
    var mark: Mark?

    var owner: String { labels[ContainerState.ownerLabel] ?? name }

    /// - Parameter secrets: `env` in it holds variables that nobody may log.
    init(_ arguments: JSONObject, secrets: JSONObject, mark: Mark? = nil) throws(DriverError) {
        self.mark = mark
        var reader = ArgumentReader(arguments)
        name = try reader.string("name")
        image = try reader.string("image")
        command = try reader.strings("command")
        environment = try reader.object("env")?.texts ?? [:]
        limits = try ContainerLimits(reading: &reader)
        limits.pids = limits.pids ?? ContainerLimits.defaultPids
        limits.restart = RestartPolicy(try reader.string("restart"))
        mounts = try (reader.objects("mounts") ?? []).map { (object) throws(DriverError) in try Self.mount(object) }
        network = try reader.string("network")
        ports = try (reader.objects("ports") ?? []).map { (object) throws(DriverError) in try Self.port(object) }
        labels = try Self.labels(try reader.object("labels"))
        runs = try reader.bool("running")
        replaces = try reader.bool("replace")
        try reader.finish()
        if !ports.isEmpty, ["none", "host"].contains(network) {
            throw .invalidArgument("ports", "cannot be published on network \(network)")
        }
        environment.merge(secrets["env"]?.asObject?.texts ?? [:]) { $1 }
        if let mark, labels[ContainerState.ownerLabel].map({ $0 != mark.service }) == true {
            throw .invalidArgument("labels", "name another service than the mark")
        }
        labels[ContainerState.ownerLabel] = mark?.service ?? labels[ContainerState.ownerLabel] ?? name
    }

    private static func labels(_ object: JSONObject?) throws(DriverError) -> [String: String] {
        var result: [String: String] = [:]
        for member in object?.members ?? [] {
            guard let text = member.value.asString else { continue }
            // By them a container would pass for one of the agent's, or of a project.
            guard !ContainerState.ownLabels.contains(member.key), !member.key.hasPrefix("com.docker.compose.") else {
                throw .invalidArgument("labels", "must leave \(member.key) to the agent and to compose")
            }
            result[member.key] = text
        }
        return result
    }

    private static func mount(_ object: JSONObject) throws(DriverError) -> Mount {
        var reader = ArgumentReader(object)
        let (source, target) = (try reader.string("source"), try reader.string("target"))
        guard target != "/" else { throw .invalidArgument("target", "cannot be the root of the container") }
        return Mount(source: source, target: target, isReadOnly: try reader.bool("read_only"))
    }

    private static func port(_ object: JSONObject) throws(DriverError) -> Port {
        var reader = ArgumentReader(object)
        return Port(
            hostAddress: try reader.string("host_ip"), host: try reader.integer("host"),
            container: try reader.integer("container"), transport: try reader.string("protocol"))
    }

    static func isAddress(_ text: String) -> Bool {
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
        memory = try reader.optionalInteger("memory_bytes")
        cpu = try reader.optionalInteger("cpu_millis")
        pids = try reader.optionalInteger("pids")
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
