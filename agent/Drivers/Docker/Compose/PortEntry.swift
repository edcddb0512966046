import WireProtocol

/// One entry of a service's `ports` before variables are filled in: what can be read of it, and the rest as it stands.
struct PortEntry: Sendable, Hashable {
    /// Numbers, or what only the tool will know.
    enum Ports: Sendable, Hashable {
        case known(ClosedRange<Int64>)
        /// A variable gives them, or nobody can read them.
        case unknown
    }

    let whole: JSONValue
    /// Nil where the engine chooses.
    let published: Ports?
    let inside: Ports
    let transport: String
    let address: String

    init(_ value: JSONValue) {
        whole = value
        if let object = value.asObject {
            inside = Self.ports(Self.text(object["target"]) ?? "")
            let text = Self.text(object["published"]) ?? ""
            published = text.isEmpty ? nil : Self.ports(text)
            transport = object["protocol"]?.asString ?? "tcp"
            address = object["host_ip"]?.asString ?? ""
        } else {
            let (head, transport) = Self.halves(Self.text(value) ?? "")
            let parts = Self.parts(head)
            inside = Self.ports(parts.last ?? "")
            let text = parts.dropLast().last ?? ""
            published = text.isEmpty ? nil : Self.ports(text)
            self.transport = transport ?? "tcp"
            address = parts.dropLast(2).joined(separator: ":").filter { $0 != "[" && $0 != "]" }
        }
    }

    /// As people write it.
    var text: String { Self.text(whole) ?? whole.text }

    /// Ports of the node, each with the container's behind it; nil where they do not go side by side.
    var pairs: [(host: Int64, inside: Int64)]? {
        guard case .known(let hosts) = published, case .known(let insides) = inside, hosts.count == insides.count else {
            return nil
        }
        return Array(zip(hosts, insides))
    }

    /// The same on another port of the node; all else stays as it is.
    func moved(to host: Int64) -> JSONValue {
        if var object = whole.asObject {
            object["published"] = object["published"]?.asString == nil ? .integer(host) : .string(String(host))
            return .object(object)
        }
        let (head, transport) = Self.halves(text)
        return .string(Self.written(address, String(host), Self.parts(head).last ?? "", transport))
    }

    /// What is left without one of the container's ports: nothing, one entry, or those on both sides of it.
    func without(_ port: Int64) -> [JSONValue] {
        guard case .known(let insides) = inside, insides.contains(port) else { return [whole] }
        guard insides.count > 1 else { return [] }
        let offset = published.flatMap { hosts -> Int64? in
            guard case .known(let range) = hosts, range.count == insides.count else { return nil }
            return range.lowerBound - insides.lowerBound
        }
        let sides = [(insides.lowerBound, port - 1), (port + 1, insides.upperBound)].filter { $0.0 <= $0.1 }
        return sides.map { first, last in piece(first...last, offset: offset) }
    }

    /// A part of the range as an entry of its own.
    /// - Parameter offset: from the container's ports to the node's; nil where the engine chooses.
    func piece(_ insides: ClosedRange<Int64>, offset: Int64?) -> JSONValue {
        let hosts = offset.map { Self.written(insides.lowerBound + $0...insides.upperBound + $0) } ?? ""
        return .string(Self.written(address, hosts, Self.written(insides), transport == "tcp" ? nil : transport))
    }

    // MARK: text

    private static func written(_ range: ClosedRange<Int64>) -> String {
        range.count == 1 ? String(range.lowerBound) : "\(range.lowerBound)-\(range.upperBound)"
    }

    private static func written(_ address: String, _ hosts: String, _ inside: String, _ transport: String?) -> String {
        let place = address.contains(":") ? "[\(address)]:" : address.isEmpty ? "" : "\(address):"
        return place + (hosts.isEmpty && place.isEmpty ? "" : "\(hosts):") + inside + (transport.map { "/\($0)" } ?? "")
    }

    private static func text(_ value: JSONValue?) -> String? {
        value?.asString ?? value?.asInteger.map { String($0) }
    }

    /// What stands in front of the transport's name, and that name. A variable may hold a slash of its own.
    private static func halves(_ text: String) -> (String, String?) {
        guard let slash = text.lastIndex(of: "/"), !text[slash...].contains("}") else { return (text, nil) }
        return (String(text[..<slash]), String(text[text.index(after: slash)...]))
    }

    /// Between colons, those within braces and brackets aside.
    private static func parts(_ text: String) -> [String] {
        var parts = [""]
        var depth = 0
        for character in text {
            switch character {
            case "{", "[": depth += 1
            case "}", "]": depth -= 1
            default: break
            }
            if character == ":", depth == 0 { parts.append("") } else { parts[parts.count - 1].append(character) }
        }
        return parts
    }

    private static func ports(_ text: String) -> Ports {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { Int64($0) }
        guard ends.count <= 2, let first = ends.first ?? nil, let last = ends.last ?? nil, first <= last,
            (1...65535).contains(first), (1...65535).contains(last)
        else { return .unknown }
        return .known(first...last)
    }
}
