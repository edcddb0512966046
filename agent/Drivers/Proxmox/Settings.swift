import DriverKit
import Model
import WireProtocol

/// Options of a container that a call may choose, in the tools' words; made of checked parts only.
struct GuestSettings: Sendable {
    /// In the order of the command line: `("memory", "512")`.
    private(set) var options: [(name: String, value: String)] = []
    /// By their place: the first is `net0`.
    private(set) var networks: [NetworkSpec] = []

    /// Reads the arguments that a new container and a changed one have in common.
    init(_ reader: inout ArgumentReader) throws(DriverError) {
        add("hostname", try reader.optionalString("hostname"))
        add("memory", try reader.optionalInteger("memory_mib").map { "\($0)" })
        add("swap", try reader.optionalInteger("swap_mib").map { "\($0)" })
        add("cores", try reader.optionalInteger("cores").map { "\($0)" })
        add("cpuunits", try reader.optionalInteger("cpu_units").map { "\($0)" })
        add("cpulimit", reader.value("cpu_limit").flatMap(Self.limit))
        add("startup", try reader.optionalInteger("boot_order").map { "order=\($0)" })
        add("onboot", try reader.optionalBool("on_boot").map { $0 ? "1" : "0" })
        add("protection", try reader.optionalBool("protection").map { $0 ? "1" : "0" })
        add("tags", try reader.strings("tags").map { Set($0).sorted().joined(separator: ";") })
        add("nameserver", try reader.strings("nameservers").map { $0.joined(separator: " ") })
        add("searchdomain", try reader.optionalString("search_domain"))
        if let object = try reader.object("features") { add("features", try Self.features(object)) }
        for (place, object) in (try reader.objects("networks") ?? []).enumerated() {
            networks.append(try NetworkSpec(object, place))
        }
        guard Set(networks.map(\.name)).count == networks.count else {
            throw .invalidArgument("networks", "has two interfaces of the same name")
        }
    }

    private mutating func add(_ name: String, _ value: String?) {
        if let value { options.append((name, value)) }
    }

    private static func limit(_ value: JSONValue) -> String? {
        guard let number = value.asNumber else { return nil }
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

    private static func equals(_ found: String?, _ spec: String, _ name: String) -> Bool {
        switch name {
        case "onboot", "protection", "cpulimit": return (found ?? "0") == spec
        case "tags", "nameserver", "searchdomain": return (found ?? "") == spec
        case "features":
            let there = PropertyText(found ?? "").values.filter { $0.value != "0" }
            return PropertyText(spec).values.allSatisfy { there[$0.key, default: "0"] == $0.value }
        default: return found == spec
        }
    }
}

/// A network interface of a container.
struct NetworkSpec: Sendable {
    let device: String
    let name: String
    let bridge: String
    private let properties: [(name: String, value: String)]

    init(_ object: JSONObject, _ place: Int) throws(DriverError) {
        var reader = ArgumentReader(object)
        device = "net\(place)"
        name = try reader.optionalString("name") ?? "eth\(place)"
        bridge = try reader.string("bridge")
        var found = [("name", name), ("bridge", bridge)]
        func add(_ name: String, _ value: String?) {
            if let value { found.append((name, value)) }
        }
        add("ip", try reader.optionalString("ip"))
        add("gw", try reader.optionalString("gateway"))
        add("ip6", try reader.optionalString("ip6"))
        add("gw6", try reader.optionalString("gateway6"))
        add("hwaddr", try reader.optionalString("mac")?.uppercased())
        add("firewall", try reader.optionalBool("firewall").map { $0 ? "1" : "0" })
        add("tag", try reader.optionalInteger("vlan").map { "\($0)" })
        add("rate", try reader.optionalInteger("rate_mbyte_s").map { "\($0)" })
        add("mtu", try reader.optionalInteger("mtu").map { "\($0)" })
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
