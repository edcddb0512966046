import WireProtocol

/// A port of a container that is to be reached from outside it.
package struct PortSpec: Sendable, Hashable {
    package enum Transport: String, Sendable, Hashable { case tcp, udp }

    /// In the container.
    package var container: Int64
    package var transport: Transport
    /// An address of the node; nil for its loopback alone.
    package var address: String?

    /// Of its allocation: `80/tcp`.
    var slot: String { "\(container)/\(transport.rawValue)" }

    var json: JSONValue {
        var json: JSONObject = ["container": .integer(container), "protocol": .string(transport.rawValue)]
        json["address"] = address.map { .string($0) }
        return .object(json)
    }
}

extension PortSpec {
    /// Of one container.
    static let most = 16

    /// Ports of a node that are given to services: below what kernels take for outgoing connections.
    static let candidates = (20_000..<30_000).map { String($0) }

    static func list(_ json: JSONObject, _ key: String) throws -> [PortSpec] {
        guard let items = try json.optionalArray(key) else { return [] }
        guard items.count <= most else { throw FieldError(path: key, problem: .tooMany(limit: most)) }
        var wishes: [PortSpec] = []
        for (index, item) in items.enumerated() {
            let path = "\(key)[\(index)]"
            guard let fields = item.asObject else {
                throw FieldError(path: path, problem: .type(expected: "an object"))
            }
            let spec: PortSpec
            do throws(FieldError) { spec = try PortSpec(fields) } catch { throw error.under(path) }
            guard !wishes.contains(where: { $0.slot == spec.slot }) else {
                throw FieldError(path: path, problem: .value(expected: "a port that is not named before"))
            }
            wishes.append(spec)
        }
        return wishes
    }

    private init(_ json: JSONObject) throws(FieldError) {
        try json.allowOnly(["container", "protocol", "address"])
        container = try json.integer("container", in: 1...65_535)
        let word = try json.optionalString("protocol") ?? "tcp"
        guard let transport = Transport(rawValue: word) else {
            throw FieldError(path: "protocol", problem: .value(expected: "tcp or udp"))
        }
        self.transport = transport
        address = try json.optionalString("address")
        if let address, !Self.isAddress(address) {
            throw FieldError(path: "address", problem: .value(expected: "an IP address of the node"))
        }
    }

    /// The agent looks more closely.
    private static func isAddress(_ text: String) -> Bool {
        let isFour = text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy {
            $0.count <= 3 && UInt8($0) != nil
        }
        if isFour { return text.split(separator: ".").count == 4 }
        return text.contains(":") && text.utf8.count <= 39
            && text.utf8.allSatisfy {
                $0 == 0x3A || ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x66) || ($0 >= 0x30 && $0 <= 0x39)
            }
    }
}
