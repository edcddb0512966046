/// Who holds which port of the node, by number: ten thousand ports are looked up as quickly as one.
struct PortTable: Sendable {
    private struct Place: Hashable {
        let port: Int64
        let transport: String
    }

    private struct Holders {
        let first: NodePort
        /// By address; the empty one stands for all.
        var byAddress: [String: NodePort]
    }

    private var holders: [Place: Holders] = [:]

    init(_ ports: some Sequence<NodePort>) {
        for port in ports { insert(port) }
    }

    /// Who holds a port already keeps it.
    mutating func insert(_ port: NodePort) {
        let place = Place(port: port.port, transport: port.transport)
        if holders[place]?.byAddress[port.address] != nil { return }
        holders[place, default: Holders(first: port, byAddress: [:])].byAddress[port.address] = port
    }

    /// Nil when nobody has it on that address.
    func holder(of port: NodePort) -> NodePort? {
        guard let found = holders[Place(port: port.port, transport: port.transport)] else { return nil }
        return port.address.isEmpty ? found.first : found.byAddress[port.address] ?? found.byAddress[""]
    }

    /// The first number of a range that nobody has.
    func free(_ range: ClosedRange<Int64>, like port: NodePort) -> Int64? {
        range.first { number in
            var candidate = port
            candidate.port = number
            return holder(of: candidate) == nil
        }
    }
}
