import DriverKit
import Glibc
import WireProtocol

/// What a project wants of the node, what others have, and where the two meet.
struct ComposeScan: Sendable {
    var wanted: [NodePort] = []
    var taken: [NodePort] = []
    var networks: [NetworkState] = []
    var conflicts: [Conflict] = []

    struct Conflict: Sendable, Hashable {
        /// port, network, subnet, volume or name.
        var kind: String
        var what: String
        var problem: String
        /// A port that is free, where a port is the matter.
        var suggestion: Int64?

        var observed: JSONObject {
            var object: JSONObject = ["kind": .string(kind), "what": .string(what), "problem": .string(problem)]
            object["suggestion"] = suggestion.map { .integer($0) }
            return object
        }
    }

    var observed: JSONObject {
        [
            "wanted": .array(
                wanted.map { port in
                    var object = port.observed
                    object["service"] = .string(port.holder)
                    return .object(object)
                }),
            "conflicts": .array(conflicts.map { .object($0.observed) }),
            "networks": .array(networks.map { .object($0.observed) }),
        ]
    }

    /// Ports that others have, each once.
    var takenObserved: JSONValue {
        var seen = Set<NodePort>()
        let ports = taken.filter { seen.insert($0).inserted }.sorted {
            ($0.port, $0.transport) < ($1.port, $1.transport)
        }
        return .array(
            ports.prefix(2000).map { port in
                var object = port.observed
                object["holder"] = .string(port.holder)
                return .object(object)
            })
    }
}

extension DockerDriver {
    /// - Parameter file: with its variables filled in, as the tool prints it.
    func scan(_ file: ComposeFile?, project: String?) async throws(DriverError) -> ComposeScan {
        let entries = try await engine.doing { () throws(EngineError) -> [ContainerEntry] in
            try await engine.containers(all: true)
        }
        var scan = ComposeScan()
        scan.networks = try await networks()
        scan.taken = Self.taken(entries, project, listening: NodePort.listening(root: compose.settings.hostRoot))
        guard let file, let project else { return scan }
        scan.wanted = file.services.flatMap { name, body in
            (body["ports"]?.asArray ?? []).flatMap { NodePort.wanted($0, service: name) }
        }
        scan.findPorts()
        scan.findNetworks(file, project, routes: Self.routes(root: compose.settings.hostRoot))
        for volume in try await volumes() {
            let owner = volume.labels[ComposeLabel.project] ?? volume.owner
            guard let owner, owner != project, file.volumeNames(project).contains(volume.name) else { continue }
            scan.conflicts.append(.init(kind: "volume", what: volume.name, problem: "belongs to \(owner)"))
        }
        for (name, body) in file.services {
            guard let wanted = body["container_name"]?.asString,
                let holder = entries.first(where: { $0.name == wanted }), holder.project != project
            else { continue }
            scan.conflicts.append(
                .init(kind: "name", what: wanted, problem: "service \(name) wants the name of another container"))
        }
        return scan
    }

    /// Ports of other containers, and what else listens; the project's own are its own.
    private static func taken(_ entries: [ContainerEntry], _ project: String?, listening: [NodePort]) -> [NodePort] {
        var taken: [NodePort] = []
        var own: [NodePort] = []
        for entry in entries {
            for port in entry.ports {
                let place = NodePort(port.address, port.host, port.transport, "container \(entry.name)")
                if project != nil, entry.project == project { own.append(place) } else { taken.append(place) }
            }
        }
        // What the engine publishes listens by a process of the engine.
        let published = Set((taken + own).map { "\($0.port)/\($0.transport)" })
        return taken + listening.filter { !published.contains("\($0.port)/\($0.transport)") }
    }

    /// Address ranges that the node reaches by a route of its own.
    private static func routes(root: String) -> [AddressRange] {
        AddressRange.routes(ProcessFiles.text("\(root)/proc/net/route", limit: 4 << 20) ?? "")
    }
}

extension AddressRange {
    /// The ranges of `/proc/net/route`, those of the engine's own networks and the default route aside.
    static func routes(_ table: String) -> [AddressRange] {
        table.split(separator: "\n").dropFirst().compactMap { line in
            let fields = line.split(separator: "\t")
            guard fields.count > 7, let address = UInt32(fields[1], radix: 16), let mask = UInt32(fields[7], radix: 16),
                mask != 0, !fields[0].hasPrefix("br-"), !fields[0].hasPrefix("docker")
            else { return nil }
            return AddressRange(UInt32(bigEndian: address), mask.nonzeroBitCount)
        }
    }
}

extension ComposeScan {
    fileprivate mutating func findPorts() {
        var held = PortTable(taken)
        let all = PortTable(taken + wanted)
        for port in wanted {
            if let holder = held.holder(of: port) {
                // Whoever has this many conflicts is not helped by one port more.
                let free = conflicts.count < 100 ? all.free(min(port.port, 65534) + 1...65535, like: port) : nil
                conflicts.append(
                    Conflict(
                        kind: "port", what: "\(port.port)/\(port.transport) of service \(port.holder)",
                        problem: "is taken by \(holder.holder)", suggestion: free))
            }
            held.insert(port)
        }
    }

    fileprivate mutating func findNetworks(_ file: ComposeFile, _ project: String, routes: [AddressRange]) {
        for member in file.tree["networks"]?.asObject?.members ?? [] {
            let body = member.value.asObject ?? [:]
            let isExternal = body["external"].map { !$0.isOff } ?? false
            let given = body["name"]?.asString ?? body["external"]?["name"]?.asString
            let name = given ?? (isExternal ? member.key : "\(project)_\(member.key)")
            let present = networks.filter { $0.name == name }
            if isExternal {
                guard present.isEmpty else { continue }
                conflicts.append(Conflict(kind: "network", what: name, problem: "is not on this node"))
            } else if let other = present.first, other.project != project {
                conflicts.append(
                    Conflict(
                        kind: "network", what: name, problem: "is a network of \(other.project ?? "somebody else")"))
            }
            findSubnets(body, name, routes)
        }
    }

    private mutating func findSubnets(_ body: JSONObject, _ name: String, _ routes: [AddressRange]) {
        let ranges = (body["ipam"]?["config"]?.asArray ?? []).compactMap { $0["subnet"]?.asString }
        for range in ranges.compactMap(AddressRange.init) {
            let holder = networks.first { network in
                network.name != name && network.subnets.compactMap(AddressRange.init).contains(where: range.overlaps)
            }
            let isOwn = networks.contains { $0.name == name && $0.subnets.contains(range.description) }
            if let holder {
                conflicts.append(
                    Conflict(kind: "subnet", what: "\(range)", problem: "overlaps with network \(holder.name)"))
            } else if !isOwn, routes.contains(where: range.overlaps) {
                conflicts.append(
                    Conflict(kind: "subnet", what: "\(range)", problem: "overlaps with a route of the node"))
            }
        }
    }
}

extension ComposeFile {
    /// As the engine will know them.
    fileprivate func volumeNames(_ project: String) -> Set<String> {
        Set(
            (tree["volumes"]?.asObject?.members ?? []).compactMap { member in
                if let external = member.value["external"], !external.isOff { return nil }
                return member.value["name"]?.asString ?? "\(project)_\(member.key)"
            })
    }
}
