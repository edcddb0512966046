import DriverKit
import WireProtocol

/// Ports of a file: the one that a proxy takes over, and those that move on the node. What an entry does not say before
/// variables are filled in is never guessed.
extension TransformedFile {
    /// The entries that stay when the proxy has the service's port.
    /// - Throws: `invalidArgument` where an entry may or may not be that port.
    mutating func unpublished(
        _ entries: [JSONValue], _ port: Int64, service: String
    ) throws(DriverError) -> [JSONValue] {
        var rest: [JSONValue] = []
        for value in entries {
            let entry = PortEntry(value)
            if entry.transport != "tcp", !entry.transport.contains("$") {
                rest.append(value)
                continue
            }
            guard case .known(let inside) = entry.inside, !entry.transport.contains("$") else {
                throw .invalidArgument(
                    "transform.proxy",
                    "cannot tell whether \(Self.named(entry, service)) is the port behind the proxy: "
                        + "write the container's port as a number, or say keep_ports")
            }
            guard !inside.contains(port) || inside.count == 1 || entry.published == nil || entry.pairs != nil else {
                throw .invalidArgument(
                    "transform.proxy", "cannot take port \(port) out of \(Self.named(entry, service)): say keep_ports")
            }
            let kept = entry.without(port)
            rest += kept
            guard inside.contains(port) else { continue }
            let left = kept.map { PortEntry($0).text }.joined(separator: " and ")
            changes.append(
                "\(Self.named(entry, service)) "
                    + (kept.isEmpty ? "is published no more: the proxy has it" : "is \(left): the proxy has \(port)"))
        }
        return rest
    }

    mutating func movePorts(_ transform: ComposeTransform, _ taken: [NodePort]) throws(DriverError) {
        var move = PortMove(transform: transform, held: PortTable(taken))
        file = try file.changingServices { (name, body) throws(DriverError) in
            guard let entries = body["ports"]?.asArray else { return body }
            var changed: [JSONValue] = []
            for entry in entries { changed += try move.moved(PortEntry(entry), service: name) }
            var body = body
            body["ports"] = .array(changed)
            return body
        }
        changes += move.moves
        notDone += move.notDone
        for port in transform.ports.keys.sorted() where !move.met.contains(port) {
            notDone.append("port \(port) does not move: no entry of the file names it")
        }
    }

    static func named(_ entry: PortEntry, _ service: String) -> String {
        "port entry \(entry.text.printable(limit: 60)) of service \(service)"
    }
}

/// Ports on their way to other numbers.
private struct PortMove {
    let transform: ComposeTransform
    var held: PortTable
    var moves: [String] = []
    var notDone: [String] = []
    /// Numbers of `transform.ports` that some entry has.
    var met: Set<Int64> = []

    private var isAsked: Bool { !transform.ports.isEmpty || transform.freePorts != nil }

    mutating func moved(_ entry: PortEntry, service: String) throws(DriverError) -> [JSONValue] {
        guard let published = entry.published else { return [entry.whole] }
        guard case .known(let hosts) = published else {
            if isAsked { tell(entry, service, "a variable gives its number") }
            return [entry.whole]
        }
        if hosts.count == 1 {
            let old = NodePort(entry.address, hosts.lowerBound, entry.transport, service)
            let new = try place(old)
            return [new == old.port ? entry.whole : entry.moved(to: new)]
        }
        guard let pairs = entry.pairs else {
            let isNamed = hosts.contains { transform.ports[$0] != nil }
            met.formUnion(hosts.filter { transform.ports[$0] != nil })
            let wanted = hosts.map { NodePort(entry.address, $0, entry.transport, service) }
            if isNamed || transform.freePorts != nil && wanted.contains(where: { held.holder(of: $0) != nil }) {
                tell(entry, service, "the engine takes any one port of its range")
            }
            for port in wanted { held.insert(port) }
            return [entry.whole]
        }
        return try split(entry, pairs, service)
    }

    /// A range of which some ports move becomes the ranges that are left and the moved ones.
    private mutating func split(
        _ entry: PortEntry, _ pairs: [(host: Int64, inside: Int64)], _ service: String
    ) throws(DriverError) -> [JSONValue] {
        var runs: [(insides: ClosedRange<Int64>, offset: Int64)] = []
        for (host, inside) in pairs {
            let offset = try place(NodePort(entry.address, host, entry.transport, service)) - inside
            if let last = runs.last, last.offset == offset {
                runs[runs.count - 1].insides = last.insides.lowerBound...inside
            } else {
                runs.append((inside...inside, offset))
            }
        }
        return runs.count == 1 && runs[0].offset == pairs[0].host - pairs[0].inside
            ? [entry.whole] : runs.map { entry.piece($0.insides, offset: $0.offset) }
    }

    /// The number that a port of a service gets, which it holds from then on.
    private mutating func place(_ old: NodePort) throws(DriverError) -> Int64 {
        var port = old
        if let wanted = transform.ports[old.port] {
            met.insert(old.port)
            port.port = wanted
        }
        if held.holder(of: port) != nil, let range = transform.freePorts {
            guard let free = held.free(range, like: port) else {
                throw DriverError(
                    .conflict,
                    "no port of \(range.lowerBound) to \(range.upperBound) is free for service \(port.holder)")
            }
            port.port = free
        }
        held.insert(port)
        if port.port != old.port { moves.append("port \(old.port) of service \(port.holder) is \(port.port)") }
        return port.port
    }

    private mutating func tell(_ entry: PortEntry, _ service: String, _ why: String) {
        notDone.append("\(TransformedFile.named(entry, service)) does not move: \(why)")
    }
}
