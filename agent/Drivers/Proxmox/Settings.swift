import DriverKit
import Model
import WireProtocol

/// Options of a container that a call may choose, in the tools' words; made of checked parts only.
struct GuestSettings: Sendable {
    /// In the order of the command line: `("memory", "512")`.
    private(set) var options: [(name: String, value: String)] = []
    /// By their place: the first is `net0`.
    private(set) var networks: [NetworkWish] = []

    /// Reads the arguments that a new container and a changed one have in common.
    init(_ reader: inout ArgumentReader) throws(DriverError) {
        add("hostname", try reader.optionalName("hostname", .nodeName))
        add("memory", try reader.optionalInteger("memory_mib", in: 16...(1 << 24)).map { "\($0)" })
        add("swap", try reader.optionalInteger("swap_mib", in: 0...(1 << 24)).map { "\($0)" })
        add("cores", try reader.optionalInteger("cores", in: 1...8192).map { "\($0)" })
        add("cpuunits", try reader.optionalInteger("cpu_units", in: 1...10_000).map { "\($0)" })
        add("cpulimit", try reader.optional("cpu_limit", "a number from 0 to 8192", Self.limit))
        add("startup", try reader.optionalInteger("boot_order", in: 0...10_000).map { "order=\($0)" })
        add("onboot", try reader.optionalBool("on_boot").map { $0 ? "1" : "0" })
        add("protection", try reader.optionalBool("protection").map { $0 ? "1" : "0" })
        add("tags", try reader.texts("tags", .tag).map { Set($0).sorted().joined(separator: ";") })
        add("nameserver", try reader.texts("nameservers", .address).map { $0.joined(separator: " ") })
        add("searchdomain", try reader.optionalName("search_domain", .nodeName))
        if let object = try reader.object("features") { add("features", try Self.features(object)) }
        for (place, object) in (try reader.objects("networks", limit: 10) ?? []).enumerated() {
            networks.append(try NetworkWish(object, place))
        }
        guard Set(networks.map(\.name)).count == networks.count else {
            throw .invalidArgument("networks", "has two interfaces of the same name")
        }
    }

    private mutating func add(_ name: String, _ value: String?) {
        if let value { options.append((name, value)) }
    }

    private static func limit(_ value: JSONValue) -> String? {
        guard let number = value.asNumber, (0...8192).contains(number) else { return nil }
        let hundredths = Int((number * 100).rounded())
        let fraction = hundredths % 100
        return fraction == 0 ? "\(hundredths / 100)" : "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)"
    }

    private static func features(_ object: JSONObject) throws(DriverError) -> String {
        var reader = ArgumentReader(object)
        var parts: [String] = []
        for name in ["nesting", "keyctl", "fuse"] {
            if let isOn = try reader.optionalBool(name) { parts.append("\(name)=\(isOn ? 1 : 0)") }
        }
        try reader.finish()
        guard !parts.isEmpty else { throw .invalidArgument("features", "must name one of nesting, keyctl and fuse") }
        return parts.joined(separator: ",")
    }

    /// For a container that is not there yet.
    var creationWords: [String] {
        options.flatMap { ["--\($0.name)", $0.value] } + networks.flatMap { ["--\($0.device)", $0.text(keeping: nil)] }
    }

    /// What it asks of a container's configuration. The address of a card is kept, also of one that the container has
    /// lost to a change that failed.
    func wants(in config: GuestConfig) -> [Want] {
        let plain = options.map { option in
            Want(key: option.name, value: option.value) { Self.equals($0, option.value, option.name) }
        }
        let cards = networks.map { card in
            Want(
                key: card.device, value: card.text(keeping: config[card.device] ?? config.pending[card.device]),
                isMet: card.isMet)
        }
        return plain + cards
    }

    func plan(in config: GuestConfig) -> ChangePlan {
        wants(in: config).reduce(into: ChangePlan()) { $0.add($1, in: config) }
    }

    private static func equals(_ found: String?, _ wish: String, _ name: String) -> Bool {
        switch name {
        case "onboot", "protection", "cpulimit": return (found ?? "0") == wish
        case "tags", "nameserver", "searchdomain": return (found ?? "") == wish
        case "features":
            let there = PropertyText(found ?? "").values.filter { $0.value != "0" }
            return PropertyText(wish).values.allSatisfy { there[$0.key, default: "0"] == $0.value }
        default: return found == wish
        }
    }
}

/// A network interface of a container.
struct NetworkWish: Sendable {
    let device: String
    let name: String
    let bridge: String
    private let properties: [(name: String, value: String)]

    init(_ object: JSONObject, _ place: Int) throws(DriverError) {
        var reader = ArgumentReader(object)
        device = "net\(place)"
        name = try reader.optionalText("name", .interface) ?? "eth\(place)"
        bridge = try reader.text("bridge", .bridge)
        var found = [("name", name), ("bridge", bridge)]
        func add(_ name: String, _ value: String?) {
            if let value { found.append((name, value)) }
        }
        add("ip", try reader.optionalText("ip", .network4))
        add("gw", try reader.optionalText("gateway", .address4))
        add("ip6", try reader.optionalText("ip6", .network6))
        add("gw6", try reader.optionalText("gateway6", .address6))
        add("hwaddr", try reader.optionalText("mac", .mac)?.uppercased())
        add("firewall", try reader.optionalBool("firewall").map { $0 ? "1" : "0" })
        add("tag", try reader.optionalInteger("vlan", in: 1...4094).map { "\($0)" })
        add("rate", try reader.optionalInteger("rate_mbyte_s", in: 1...100_000).map { "\($0)" })
        add("mtu", try reader.optionalInteger("mtu", in: 64...65_535).map { "\($0)" })
        try reader.finish()
        properties = found
    }

    /// - Parameter old: the present text; without its address the tool would give the interface a new one.
    func text(keeping old: String?) -> String {
        let mac = old.flatMap { PropertyText($0)["hwaddr"] }
        let isChosen = properties.contains { $0.name == "hwaddr" }
        let kept = isChosen ? [] : mac.map { [("hwaddr", $0)] } ?? []
        return (properties + kept).map { "\($0.0)=\($0.1)" }.joined(separator: ",")
    }

    @Sendable func isMet(by text: String?) -> Bool {
        let found = PropertyText(text ?? "")
        return properties.allSatisfy { found[$0.name] == $0.value }
    }
}
