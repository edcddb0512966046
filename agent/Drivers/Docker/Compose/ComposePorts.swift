import Glibc
import WireProtocol

/// A port of the node that a service wants, or that somebody has.
struct NodePort: Sendable, Hashable {
    /// Empty for all addresses.
    var address: String
    var port: Int64
    var transport: String
    /// The service, or who has it.
    var holder: String
    /// Within the container; 0 where it is unknown.
    var inside: Int64 = 0

    init(_ address: String, _ port: Int64, _ transport: String, _ holder: String, inside: Int64 = 0) {
        self.address = ["0.0.0.0", "::", "[::]", "*"].contains(address) ? "" : address
        (self.port, self.transport, self.holder, self.inside) = (port, transport, holder, inside)
    }

    func meets(_ other: NodePort) -> Bool {
        port == other.port && transport == other.transport
            && (address.isEmpty || other.address.isEmpty || address == other.address)
    }

    var observed: JSONObject {
        var object: JSONObject = ["host": .integer(port), "protocol": .string(transport)]
        object["host_ip"] = address.isEmpty ? nil : .string(address)
        return object
    }

    // MARK: what a service says

    /// The published ports of one entry of a service's `ports`, whichever form it has; none where the engine chooses.
    static func wanted(_ value: JSONValue, service: String) -> [NodePort] {
        if let object = value.asObject {
            let published = object["published"].flatMap { $0.asString ?? $0.asInteger.map(String.init) } ?? ""
            let parts = published.split(separator: "/")
            let transport = object["protocol"]?.asString ?? (parts.count == 2 ? String(parts[1]) : "tcp")
            let inside = object["target"]?.asInteger ?? object["target"]?.asString.flatMap { Int64($0) } ?? 0
            return range(parts.first ?? "").map {
                NodePort(object["host_ip"]?.asString ?? "", $0, transport, service, inside: inside)
            }
        }
        guard let text = value.asString else { return [] }
        let halves = text.split(separator: "/", maxSplits: 1)
        let transport = halves.count == 2 ? String(halves[1]) : "tcp"
        let parts = (halves.first ?? "").split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count >= 2 else { return [] }
        let address = parts.dropLast(2).joined(separator: ":").filter { $0 != "[" && $0 != "]" }
        let inner = range(parts[parts.count - 1])
        return range(parts[parts.count - 2]).enumerated().map { place, port in
            NodePort(address, port, transport, service, inside: place < inner.count ? inner[place] : 0)
        }
    }

    private static func range(_ text: Substring) -> [Int64] {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { Int64($0) }
        guard let first = ends.first ?? nil, let last = ends.last ?? nil, ends.count <= 2,
            (1...65535).contains(first), (first...65535).contains(max(first, last)), last >= first
        else { return [] }
        return Array(first...last)
    }

    // MARK: what the kernel says

    /// Everything that listens in the agent's network namespace.
    static func listening(root: String) -> [NodePort] {
        var ports: [NodePort] = []
        for (file, transport, state) in [
            ("tcp", "tcp", "0A"), ("tcp6", "tcp", "0A"), ("udp", "udp", "07"), ("udp6", "udp", "07"),
        ] {
            guard let table = ProcessFiles.text("\(root)/proc/net/\(file)", limit: 16 << 20) else { continue }
            ports += listening(table, transport, state: state)
        }
        return ports
    }

    /// The rows of `/proc/net/tcp` and its like that are in a state.
    static func listening(_ table: String, _ transport: String, state: String) -> [NodePort] {
        table.split(separator: "\n").dropFirst().compactMap { line in
            let fields = line.split(separator: " ", maxSplits: 4)
            guard fields.count > 3, fields[3] == state else { return nil }
            let local = fields[1].split(separator: ":")
            guard local.count == 2, let port = UInt16(local[1], radix: 16), port > 0, let address = address(local[0])
            else { return nil }
            return NodePort(address, Int64(port), transport, "another program on the node")
        }
    }

    /// The kernel prints each 32-bit word in the machine's order; nil for what is no address of 4 or 16 bytes.
    private static func address(_ hex: Substring) -> String? {
        guard hex.utf8.count == 8 || hex.utf8.count == 32 else { return nil }
        var bytes: [UInt8] = []
        var rest = hex
        while !rest.isEmpty {
            guard let word = UInt32(rest.prefix(8), radix: 16) else { return nil }
            bytes += withUnsafeBytes(of: word.littleEndian) { Array($0) }
            rest = rest.dropFirst(8)
        }
        if bytes.count == 16, bytes[..<12].elementsEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255]) {
            bytes = Array(bytes[12...])
        }
        var text = [CChar](repeating: 0, count: 64)
        guard inet_ntop(bytes.count == 4 ? AF_INET : AF_INET6, bytes, &text, 64) != nil else { return nil }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self)
    }
}
