import DriverKit
import Glibc
import Model
import WireProtocol

extension DockerDriver {
    static let networkActions: [Action<DockerDriver>] = [
        Action(ActionSpec("network.list", .observe, summary: "lists networks with their address ranges")) {
            (driver, call, _) throws(DriverError) in
            try ArgumentReader(call.arguments).finish()
            let networks = try await driver.networks()
            return ActionOutcome(
                changed: false, observed: ["networks": .array(networks.map { .object($0.observed) })])
        },
        Action(ActionSpec("network.inspect", .observe, summary: "shows one network and who is in it")) {
            (driver, call, _) throws(DriverError) in
            var reader = ArgumentReader(call.arguments)
            let name = try reader.string("name")
            try reader.finish()
            return ActionOutcome(changed: false, observed: try await driver.existingNetwork(name).observed)
        },
        Action(ActionSpec("network.ensure", .mutate, summary: "makes a bridge network be there")) {
            (driver, call, _) throws(DriverError) in try await driver.ensureNetwork(call)
        },
        Action(ActionSpec("network.remove", .mutate, summary: "removes a network that nobody is in")) {
            (driver, call, _) throws(DriverError) in try await driver.removeNetwork(call)
        },
        Action(ActionSpec("network.connect", .mutate, summary: "puts a container into a network")) {
            (driver, call, _) throws(DriverError) in try await driver.plug(call, in: true)
        },
        Action(ActionSpec("network.disconnect", .mutate, summary: "takes a container out of a network")) {
            (driver, call, _) throws(DriverError) in try await driver.plug(call, in: false)
        },
    ]

    func networks() async throws(DriverError) -> [NetworkState] {
        let answer = try await engine.doing { () throws(EngineError) -> JSONValue in
            try await engine.call("GET", "/networks")
        }
        return (answer.asArray ?? []).compactMap(NetworkState.init).sorted { $0.name < $1.name }
    }

    /// Nil when there is none of that name. The engine also takes beginnings of ids for names; those do not count.
    func lookAtNetwork(_ name: String) async throws(DriverError) -> NetworkState? {
        do {
            guard let state = NetworkState(try await engine.call("GET", "/networks/\(name)")) else {
                throw EngineError.malformed("the engine describes a network in an unknown way")
            }
            return state.name == name || state.id == name ? state : nil
        } catch let error as EngineError {
            if error.isMissing { return nil }
            throw error.driverError
        } catch { throw DriverError(.failed, "the network cannot be looked at", cause: "\(error)") }
    }

    private func existingNetwork(_ name: String) async throws(DriverError) -> NetworkState {
        guard let state = try await lookAtNetwork(name) else {
            throw DriverError(.notFound, "there is no network \(name)")
        }
        return state
    }

    private func ensureNetwork(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        let spec = try NetworkSpec(call.arguments, call.mark)
        return try await gate.holding("network \(spec.name)") { () async throws(DriverError) in
            try await self.ensure(spec)
        }
    }

    private func ensure(_ spec: NetworkSpec) async throws(DriverError) -> ActionOutcome {
        if let present = try await lookAtNetwork(spec.name) { return try spec.outcome(present, changed: false) }
        var refusal: EngineError?
        do {
            _ = try await engine.call("POST", "/networks/create", body: spec.body)
        } catch { refusal = error }
        guard let made = try await lookAtNetwork(spec.name) else {
            throw refusal?.driverError ?? DriverError(.failed, "network \(spec.name) went away", retryable: true)
        }
        return try spec.outcome(made, changed: refusal == nil)
    }

    private func removeNetwork(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let name = try reader.string("name")
        let takesForeign = try reader.bool("unmanaged")
        try reader.finish()
        let gone: JSONObject = ["name": .string(name), "present": false]
        guard let state = try await lookAtNetwork(name) else { return ActionOutcome(changed: false, observed: gone) }
        guard state.owner != nil || takesForeign else {
            throw DriverError(.foreign, "network \(name) is not managed by Innkeeper")
        }
        // The engine knows only of containers that run; one that stands still could not start again without it.
        let members = try await members(of: state)
        guard members.isEmpty else {
            throw DriverError(.busy, "network \(name) is used by \(members.joined(separator: ", "))", retryable: false)
        }
        do { _ = try await engine.call("DELETE", "/networks/\(state.id)") } catch {
            if !error.isMissing { throw error.driverError }
        }
        guard try await lookAtNetwork(state.id) == nil else {
            throw DriverError(.failed, "network \(name) is still there after its removal")
        }
        return ActionOutcome(changed: true, observed: gone)
    }

    /// Containers, running or not, that are to be in a network.
    func members(of network: NetworkState) async throws(DriverError) -> [String] {
        let entries = try await engine.doing { () throws(EngineError) -> [ContainerEntry] in
            try await engine.containers(all: true)
        }
        return entries.filter { $0.networks.contains(network.name) || $0.networks.contains(network.id) }.map(\.name)
    }

    private func plug(_ call: ActionCall, in connects: Bool) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let network = try reader.string("network")
        let name = try reader.string("name")
        let force = connects ? false : try reader.bool("force")
        let aliases = connects ? try reader.strings("aliases") ?? [] : []
        try reader.finish()
        if connects { try await checkNetwork(network) }
        let before = try await existing(name)
        let place = try await existingNetwork(network)
        guard before.networks.contains(place.name) != connects else {
            return ActionOutcome(changed: false, observed: before.observed)
        }
        var body: JSONObject = ["Container": .string(before.id)]
        if connects {
            body["EndpointConfig"] = ["Aliases": .array(aliases.map { .string($0) })]
        } else {
            body["Force"] = .bool(force)
        }
        let order = body
        _ = try await engine.doing { () throws(EngineError) -> JSONValue in
            try await engine.call(
                "POST", "/networks/\(place.id)/\(connects ? "connect" : "disconnect")", body: order)
        }
        let after = try await existing(before.id)
        guard after.networks.contains(place.name) == connects else {
            throw DriverError(.failed, "container \(name) is \(connects ? "not" : "still") in network \(network)")
        }
        return ActionOutcome(changed: true, observed: after.observed)
    }
}

/// A network as the engine shows it.
struct NetworkState: Sendable, Hashable {
    var id: String
    var name: String
    var driver: String
    var scope: String
    var isInternal: Bool
    /// Address ranges in CIDR notation.
    var subnets: [String]
    var labels: [String: String]
    /// Names of the containers that run in it; empty in listings.
    var containers: [String]

    init?(_ value: JSONValue) {
        guard let id = value["Id"]?.asString, let name = value["Name"]?.asString else { return nil }
        self.id = id
        self.name = name
        driver = value["Driver"]?.asString ?? "unknown"
        scope = value["Scope"]?.asString ?? "local"
        isInternal = value["Internal"]?.asBool ?? false
        subnets = value["IPAM"]?["Config"]?.asArray?.compactMap { $0["Subnet"]?.asString } ?? []
        labels = (value["Labels"]?.asObject ?? [:]).texts
        containers = (value["Containers"]?.asObject ?? [:]).members.compactMap { $0.value["Name"]?.asString }.sorted()
    }

    var owner: String? { labels[ContainerState.ownerLabel] }
    var project: String? { labels[ComposeLabel.project] }
    /// What every engine has and nobody removes.
    var isBuiltIn: Bool { ["bridge", "host", "none"].contains(name) }

    var observed: JSONObject {
        var object: JSONObject = [
            "id": .string(id), "name": .string(name), "driver": .string(driver), "scope": .string(scope),
            "internal": .bool(isInternal), "subnets": .array(subnets.map { .string($0) }),
        ]
        object["service"] = owner.map { .string($0) }
        object["project"] = project.map { .string($0) }
        if !containers.isEmpty { object["containers"] = .array(containers.map { .string($0) }) }
        return object
    }
}

/// The network that `network.ensure` is asked for.
struct NetworkSpec: Sendable {
    let name: String
    let owner: String
    let subnet: AddressRange?
    let gateway: String?
    let isInternal: Bool

    /// What a new one bears.
    private let mark: Mark

    init(_ arguments: JSONObject, _ given: Mark? = nil) throws(DriverError) {
        var reader = ArgumentReader(arguments)
        name = try reader.string("name")
        let named = try reader.optionalString("service")
        mark = given ?? Mark(service: named ?? name)
        owner = mark.service
        subnet = try reader.optionalString("subnet").flatMap(AddressRange.init)
        gateway = try reader.optionalString("gateway")
        isInternal = try reader.bool("internal")
        try reader.finish()
        guard !["bridge", "host", "none", "default"].contains(name) else {
            throw .invalidArgument("name", "is reserved by the engine")
        }
    }

    var body: JSONObject {
        var body: JSONObject = [
            "Name": .string(name), "CheckDuplicate": true, "Driver": "bridge", "Internal": .bool(isInternal),
            "Labels": .object(mark.labels(on: name).json),
        ]
        if let subnet {
            var range: JSONObject = ["Subnet": .string(subnet.description)]
            range["Gateway"] = gateway.map { .string($0) }
            body["IPAM"] = ["Config": .array([.object(range)])]
        }
        return body
    }

    /// - Throws: `conflict` when the network is somebody else's, or is another one.
    func outcome(_ state: NetworkState, changed: Bool) throws(DriverError) -> ActionOutcome {
        guard state.owner == owner else {
            throw DriverError(
                .foreign,
                "the name \(name) is taken by a network of \(state.owner.map { "service \($0)" } ?? "somebody else")")
        }
        if let subnet, !state.subnets.contains(subnet.description) {
            throw DriverError(
                .conflict, "network \(name) has the range \(state.subnets.joined(separator: ", ")), not \(subnet)")
        }
        guard state.isInternal == isInternal, state.driver == "bridge" else {
            throw DriverError(.conflict, "network \(name) is of another kind")
        }
        return ActionOutcome(changed: changed, observed: state.observed)
    }
}

/// IPv4 addresses with a common beginning, `10.1.2.0/24`.
struct AddressRange: Sendable, Hashable, CustomStringConvertible {
    let first: UInt32
    let length: Int

    init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        var address = in_addr()
        guard parts.count == 2, let length = Int(parts[1]), (0...32).contains(length), parts[1].utf8.count <= 2,
            inet_pton(AF_INET, String(parts[0]), &address) == 1
        else { return nil }
        self.init(UInt32(bigEndian: address.s_addr), length)
    }

    init(_ address: UInt32, _ length: Int) {
        self.length = length
        first = length == 0 ? 0 : address & (.max << UInt32(32 - length))
    }

    func overlaps(_ other: AddressRange) -> Bool {
        let shorter = min(length, other.length)
        return AddressRange(first, shorter) == AddressRange(other.first, shorter)
    }

    var description: String {
        let bytes = [24, 16, 8, 0].map { String((first >> UInt32($0)) & 255) }
        return "\(bytes.joined(separator: "."))/\(length)"
    }
}
