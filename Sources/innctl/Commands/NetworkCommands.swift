import APIModels
import ArgumentParser
import Model
import WireProtocol

struct NetworkCommands: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "network", abstract: "Networks that services are put on, and their addresses.",
        subcommands: [NetworkList.self, NetworkShow.self, NetworkAdd.self, NetworkSet.self, NetworkDelete.self])
}

struct NetworkList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "All networks.", aliases: ["ls"])
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let networks: [NetworkView] = try await Controller.connect().all("/api/v1/networks")
        try common.output.list(networks) { networks in
            var table = Table("name", "kind", "interface", "vlan", "prefixes", "held", "nodes")
            for network in networks {
                table.add(
                    network.name, network.spec.kind.rawValue, network.spec.interface,
                    network.spec.vlan.map { "\($0)" },
                    network.spec.subnets?.map(\.prefix).joined(separator: ", "), "\(network.held)",
                    NetworkCard.places(network))
            }
            return table
        }
    }
}

struct NetworkShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "One network.")
    @Argument(help: "The network's name.") var name: String
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let network: NetworkView = try await Controller.connect().get(NetworkCard.path(name))
        try common.output.show(network, NetworkCard.text)
    }
}

/// One network for people.
enum NetworkCard {
    static func path(_ name: String) -> String { "/api/v1/networks/\(PercentEncoding.encode(name))" }

    static func places(_ network: NetworkView) -> String {
        let spec = network.spec
        let parts = (network.nodeNames ?? spec.nodes ?? []) + (spec.nodeLabels.map { [Readable.labels($0)] } ?? [])
        return parts.isEmpty ? "all" : parts.joined(separator: ", ")
    }

    static func text(_ network: NetworkView) -> String {
        let spec = network.spec
        var card = Card()
        card.add("name", network.name)
        card.add("kind", spec.kind.rawValue)
        card.add("interface", spec.interface)
        card.add("vlan", spec.vlan.map { "\($0)" })
        card.add("mtu", spec.mtu.map { "\($0)" })
        for subnet in spec.subnets ?? [] {
            card.add("prefix", subnet.prefix)
            card.add("  gateway", subnet.gateway)
            card.add("  given out", subnet.ranges?.joined(separator: ", "))
            card.add("  never", subnet.exclude?.joined(separator: ", "))
        }
        card.add("resolvers", spec.resolvers?.joined(separator: ", "))
        card.add("ethernet", spec.macPrefix)
        card.add("nodes", places(network))
        card.add("one per node", spec.perNode == true ? "yes" : nil)
        card.add("addresses held", "\(network.held)")
        card.add("changed", network.changedAt.iso8601)
        return card.text
    }
}

/// What a network is to be, from a file or from flags.
struct NetworkOptions: ParsableArguments {
    @Option(name: [.short, .long], help: "A JSON file with the network's spec; - for standard input.")
    var file: String?
    @Option(help: "bridge (of Proxmox) or docker.") var kind: String?
    @Option(help: "What nodes call it: vmbr0, or a Docker network.") var interface: String?
    @Option(help: "The VLAN's number.") var vlan: Int64?
    @Option(help: "The MTU in bytes.") var mtu: Int64?
    @Option(help: "A network of addresses, 192.0.2.0/24; for more than one use --file.") var prefix: String?
    @Option(help: "The gateway of --prefix.") var gateway: String?
    @Option(name: .customLong("range"), help: "Addresses to give out, 192.0.2.10-192.0.2.99; may be given again.")
    var ranges: [String] = []
    @Option(help: "Addresses that nobody gets; may be given again.") var exclude: [String] = []
    @Option(name: .customLong("resolver"), help: "A resolver's address; may be given again.") var resolvers: [String] =
        []
    @Option(help: "The first three bytes of guests' Ethernet addresses.") var macPrefix: String?
    @Option(name: .customLong("node"), help: "A node that has it; may be given again.") var nodes: [String] = []
    @Option(name: .long, help: "A label of the nodes that have it, name=value; may be given again.")
    var nodeLabel: [Pair] = []
    @Flag(help: "Each node has one of its own.") var perNode = false

    /// The spec `present`, or a new one, with what the flags say.
    func body(over present: NetworkBody?) throws(Failure) -> NetworkBody {
        var body: NetworkBody
        if let file { body = try Self.read(file) } else if let present { body = present } else { body = try fresh() }
        if let kind { body.kind = try Self.kind(kind) }
        body.interface = interface ?? body.interface
        body.vlan = vlan ?? body.vlan
        body.mtu = mtu ?? body.mtu
        if !resolvers.isEmpty { body.resolvers = resolvers }
        body.macPrefix = macPrefix ?? body.macPrefix
        if !nodes.isEmpty { body.nodes = nodes }
        if !nodeLabel.isEmpty { body.nodeLabels = nodeLabel.map }
        if perNode { body.perNode = true }
        return try addressed(body)
    }

    private func addressed(_ body: NetworkBody) throws(Failure) -> NetworkBody {
        guard prefix != nil || gateway != nil || !ranges.isEmpty || !exclude.isEmpty else { return body }
        var (body, subnets) = (body, body.subnets ?? [])
        guard subnets.count <= 1, let prefix = prefix ?? subnets.first?.prefix else {
            throw Failure(.usage, "give --prefix, or --file where a network has several")
        }
        var subnet = subnets.first ?? SubnetBody(prefix: prefix)
        subnet.prefix = prefix
        subnet.gateway = gateway ?? subnet.gateway
        if !ranges.isEmpty { subnet.ranges = ranges }
        if !exclude.isEmpty { subnet.exclude = exclude }
        subnets = [subnet]
        body.subnets = subnets
        return body
    }

    private func fresh() throws(Failure) -> NetworkBody {
        guard let kind, let interface else { throw Failure(.usage, "give --file, or at least --kind and --interface") }
        return NetworkBody(kind: try Self.kind(kind), interface: interface)
    }

    private static func kind(_ word: String) throws(Failure) -> NetworkBody.Kind {
        guard let kind = NetworkBody.Kind(rawValue: word) else {
            throw Failure(.usage, "--kind must be bridge or docker, not \"\(word)\"")
        }
        return kind
    }

    private static func read(_ path: String) throws(Failure) -> NetworkBody {
        let text = try LocalFile.text(path, what: "--file")
        do {
            let json = try JSONParser.parse(Array(text.utf8))
            return try BodyDecoder.model(NetworkBody.self, from: json, unknownFields: .refused)
        } catch {
            throw Failure(.usage, "\(path) is not a network: \(error)")
        }
    }
}

struct NetworkAdd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Create a network, from a JSON file or from flags.")
    @Argument(help: "The network's name.") var name: String
    @OptionGroup var wanted: NetworkOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let request = NetworkRequest(name: name, spec: try wanted.body(over: nil))
        let network: NetworkView = try await Controller.connect().change("POST", "/api/v1/networks", request)
        try common.output.show(network, NetworkCard.text)
    }
}

struct NetworkSet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Change a network: what no flag names stays; a file replaces all of it.")
    @Argument(help: "The network's name.") var name: String
    @OptionGroup var wanted: NetworkOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let controller = try Controller.connect()
        let present: NetworkView = try await controller.get(NetworkCard.path(name))
        let network: NetworkView = try await controller.change(
            "PUT", NetworkCard.path(name), try wanted.body(over: present.spec))
        try common.output.show(network, NetworkCard.text)
    }
}

struct NetworkDelete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Remove a network on which no service holds an address.", aliases: ["rm"])
    @Argument(help: "The network's name.") var name: String
    @OptionGroup var confirmation: Confirmation

    func run() async throws {
        try confirmation.ask("Network \(name) will be removed.")
        try await Controller.connect().change("DELETE", NetworkCard.path(name))
        Terminal.note("Network \(name) is removed.")
    }
}
