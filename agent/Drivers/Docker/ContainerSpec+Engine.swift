import DriverKit
import WireProtocol

extension ContainerSpec {
    /// The body of the creation by a command. Mounts, never binds: a bind creates a missing source as a directory of root's.
    func creation(by id: String) -> JSONObject {
        var host = limits.body()
        host["NetworkMode"] = .string(network)
        host["Mounts"] = .array(mounts.map(\.body))
        host["LogConfig"] = ["Type": "json-file", "Config": ["max-size": "10m", "max-file": "3"]]
        host["PortBindings"] = .object(bindings)
        var body: JSONObject = ["Image": .string(image), "HostConfig": .object(host)]
        body["Cmd"] = command.map { .array($0.map { .string($0) }) }
        body["Env"] = .array(environment.sorted { $0.key < $1.key }.map { .string("\($0)=\($1)") })
        let own = mark.map { $0.labels(on: name) } ?? [ContainerState.nameLabel: name]
        let labels = labels.merging(own) { $1 }.merging([ContainerState.commandLabel: id]) { $1 }
        body["Labels"] = .object(labels.json)
        body["ExposedPorts"] = .object(JSONObject(ports.map { ($0.name, [:]) }))
        return body
    }

    private var bindings: JSONObject {
        var bindings: JSONObject = [:]
        for port in ports {
            var list = bindings[port.name]?.asArray ?? []
            let host = port.host == 0 ? "" : String(port.host)
            list.append(["HostIp": .string(port.hostAddress), "HostPort": .string(host)])
            bindings[port.name] = .array(list)
        }
        return bindings
    }

    /// Names of what differs and cannot be changed in a container that exists. The image tells what it would have
    /// added itself; without it, additions are taken as they are.
    func differences(from state: ContainerState, image original: ImageState?) -> [String] {
        var names: [String] = []
        if state.image != image { names.append("image") }
        let words = state.config["Cmd"]?.asArray?.compactMap(\.asString) ?? []
        if let expected = command ?? original?.command, expected != words { names.append("command") }
        if hasOtherEnvironment(than: state, original) { names.append("env") }
        let known = state.host["Mounts"]?.asArray ?? []
        let hasBinds = !(state.host["Binds"]?.asArray ?? []).isEmpty
        // What was made before links were followed may name the same folder by another path.
        let there = known.compactMap(Mount.init).map(\.real)
        if Set(there) != Set(mounts.map(\.real)) || known.count != mounts.count || hasBinds {
            names.append("mounts")
        }
        if state.network != network { names.append("network") }
        if Set(Port.list(state.host["PortBindings"]?.asObject ?? [:])) != Set(ports) { names.append("ports") }
        if labels.contains(where: { state.labels[$0.key] != $0.value }) { names.append("labels") }
        return names
    }

    private func hasOtherEnvironment(than state: ContainerState, _ original: ImageState?) -> Bool {
        let present = state.config["Env"]?.asArray?.compactMap(\.asString) ?? []
        let wanted = environment.map { "\($0)=\($1)" }
        guard Set(wanted).isSubset(of: present) else { return true }
        guard let original else { return false }
        let inherited = original.environment.filter { environment[String($0.prefix { $0 != "=" })] == nil }
        // The engine adds a PATH where the image has none.
        return !Set(present).subtracting(wanted).subtracting(inherited).allSatisfy { $0.hasPrefix("PATH=") }
    }
}

extension ContainerSpec.Mount {
    init?(_ value: JSONValue) {
        guard value["Type"]?.asString == "bind", let source = value["Source"]?.asString,
            let target = value["Target"]?.asString
        else { return nil }
        self.init(source: source, target: target, isReadOnly: value["ReadOnly"]?.asBool ?? false)
    }

    /// The same by the source's real path.
    var real: ContainerSpec.Mount {
        ContainerSpec.Mount(source: NodePath.real(source) ?? source, target: target, isReadOnly: isReadOnly)
    }

    var body: JSONValue {
        ["Type": "bind", "Source": .string(source), "Target": .string(target), "ReadOnly": .bool(isReadOnly)]
    }
}

extension ContainerSpec.Port {
    var name: String { "\(container)/\(transport)" }

    static func list(_ bindings: JSONObject) -> [Self] {
        bindings.members.flatMap { member -> [Self] in
            let parts = member.key.split(separator: "/")
            guard let container = parts.first.flatMap({ Int64($0) }) else { return [] }
            return (member.value.asArray ?? []).map { binding in
                Self(
                    hostAddress: binding["HostIp"]?.asString ?? "",
                    host: binding["HostPort"]?.asString.flatMap { Int64($0) } ?? 0, container: container,
                    transport: parts.count > 1 ? String(parts[1]) : "tcp")
            }
        }
    }
}
