import APIModels
import ArgumentParser
import Model
import WireProtocol

struct NodeCommands: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node", abstract: "The machines.",
        subcommands: [
            NodeList.self, NodeShow.self, NodeApprove.self, NodeCordon.self, NodeDrain.self, NodeUncordon.self,
            NodeLabel.self,
            NodeRevoke.self,
            NodeRemove.self, NodeEvents.self, NodeGaps.self, NodeInventory.self, NodeActions.self, NodeRun.self,
        ])
}

struct NodeList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "All nodes.", aliases: ["ls"])
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let nodes: [Node] = try await Controller.connect().all("/api/v1/nodes")
        try common.output.list(nodes) { nodes in
            var table = Table(
                "name", "state", "schedulable", "cpu", "memory", "seen", "agent", "labels", wide: "id",
                yielding: ["agent"])
            for node in nodes {
                table.add(
                    node.name, node.revokedAt == nil ? node.state : "revoked",
                    NodeCard.schedulable(node), node.capacity.map { Readable.cores($0.cpuMillis) },
                    node.capacity.map { Readable.bytes($0.memoryBytes) }, Readable.age(node.lastSeen),
                    node.agentVersion, Readable.labels(node.labels), wide: node.id)
            }
            return table
        }
    }
}

struct NodeShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "One node and what it has.")
    @Argument(help: "Id or name.") var node: String
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let node: Node = try await Controller.connect().get("/api/v1/nodes/\(PercentEncoding.encode(node))")
        try common.output.show(node, NodeCard.text)
    }
}

/// One node for people.
enum NodeCard {
    static func text(_ node: Node) -> String {
        var card = Card()
        card.add("id", node.id)
        card.add("name", node.name)
        card.add("state", node.revokedAt == nil ? node.state : "revoked")
        card.add("schedulable", schedulable(node))
        card.add("labels", Readable.labels(node.labels))
        if let capacity = node.capacity {
            card.add("cores", Readable.cores(capacity.cpuMillis))
            card.add("memory", Readable.bytes(capacity.memoryBytes))
            card.add("disk", Readable.bytes(capacity.diskBytes))
        }
        card.add("agent", node.agentVersion)
        card.add("last seen", node.lastSeen.map { "\($0.iso8601) (\(Readable.age($0) ?? "") ago)" })
        card.add("enrolled", node.enrolledAt.iso8601)
        card.add("certificate until", node.certificateExpires?.iso8601)
        card.add("approved", node.approvedAt?.iso8601 ?? "no")
        card.add("revoked", node.revokedAt?.iso8601)
        for doubt in node.claims?.doubts ?? [] { card.add("not believed", doubt) }
        if let drain = node.drain { DrainCard.add(drain, to: &card) }
        facts(node, &card)
        return card.text
    }

    /// What its agent says of the machine and of each driver; what a driver can do has a command of its own.
    private static func facts(_ node: Node, _ card: inout Card) {
        guard let facts = node.facts?.asObject else { return }
        card.add("host name", facts["hostname"]?.asString)
        card.add("system", facts["os"]?.asObject?.members.map { Readable.value($0.value) }.joined(separator: " "))
        card.add("agent since", facts["started"].map { Readable.value($0) })
        for driver in facts["drivers"]?.asArray ?? [] {
            guard let name = driver["name"]?.asString else { continue }
            let count = driver["operations"]?.asArray?.count ?? 0
            card.add(
                "driver \(name)",
                "version \(driver["version"]?.asString ?? "unknown"), \(count) actions (innctl node actions \(node.name))"
            )
            for fact in driver["facts"]?.asObject?.members ?? []
            where !["version", "hostname"].contains(fact.key) {
                card.add("  " + Readable.words(fact.key), Readable.value(fact.value, named: fact.key))
            }
        }
    }
}

extension NodeCard {
    /// What a command that changed a node has to say; `node show` tells the rest.
    static func changed(_ node: Node) -> String {
        let state = node.revokedAt == nil ? node.state : "revoked"
        let labels = node.labels.isEmpty ? "" : ", labels \(Readable.labels(node.labels))"
        return Terminal.clean("node \(node.name) is \(state), schedulable: \(schedulable(node))\(labels)")
    }
}

extension NodeCard {
    static func schedulable(_ node: Node) -> String {
        if node.approvedAt == nil { return "no (not approved)" }
        return node.schedulable ? "yes" : node.draining == true ? "no (draining)" : "no (cordoned)"
    }

    /// What an unknown machine says of itself, for whoever is to trust it.
    static func claims(_ node: Node) -> String {
        var card = Card()
        card.add("id", node.id)
        card.add("name", node.name)
        card.add("host name", node.facts?["hostname"]?.asString)
        card.add("system", ["name", "version"].compactMap { node.facts?["os"]?[$0]?.asString }.joined(separator: " "))
        card.add("enrolled", node.enrolledAt.iso8601)
        card.add("state", node.state)
        card.add("labels", Readable.labels(node.labels))
        card.add(
            "drivers", node.facts?["drivers"]?.asArray?.compactMap { $0["name"]?.asString }.joined(separator: ", "))
        if let claims = node.claims {
            card.add("cores", Readable.cores(claims.cpuMillis))
            card.add("memory", Readable.bytes(claims.memoryBytes))
            for (name, size) in claims.pools.sorted(by: { $0.key < $1.key }) {
                card.add("pool \(name)", Readable.bytes(size))
            }
            for doubt in claims.doubts ?? [] { card.add("not believed", doubt) }
        }
        card.add("approved", node.approvedAt?.iso8601 ?? "no")
        return card.text
    }
}

struct NodeApprove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "approve", abstract: "Show what a node claims, and trust it.",
        discussion: "A trusted node gets services with their secrets. A node whose claims have grown is approved again."
    )
    @Argument(help: "Id or name.") var node: String
    @OptionGroup var confirmation: Confirmation
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let controller = try Controller.connect()
        let path = "/api/v1/nodes/\(PercentEncoding.encode(node))"
        let seen: Node = try await controller.get(path)
        Terminal.note(Terminal.clean(NodeCard.claims(seen)))
        try confirmation.ask("Node \(seen.name) gets services, and the secrets that they need, from here on.")
        var claims = seen.claims
        claims?.doubts = nil
        let approved: Node = try await controller.change("POST", path + "/approve", NodeApproval(claims: claims))
        try common.output.show(approved, NodeCard.changed)
    }
}

/// A change to one node that answers with the node.
protocol NodeChange: AsyncParsableCommand {
    var node: String { get }
    var common: CommonOptions { get }
    static var verb: String { get }
    /// Asks before what cannot be taken back.
    func confirm() throws(Failure)
}

extension NodeChange {
    func confirm() throws(Failure) {}

    func run() async throws {
        try confirm()
        let path = "/api/v1/nodes/\(PercentEncoding.encode(node))/\(Self.verb)"
        let changed: Node = try await Controller.connect().change("POST", path)
        try common.output.show(changed, NodeCard.changed)
    }
}

struct NodeCordon: NodeChange {
    static let configuration = CommandConfiguration(
        commandName: "cordon", abstract: "Place nothing new on a node.")
    static let verb = "cordon"
    @Argument(help: "Id or name.") var node: String
    @OptionGroup var common: CommonOptions
}

struct NodeRevoke: NodeChange {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Cut a node off at once and refuse its certificate from now on.")
    static let verb = "revoke"
    @Argument(help: "Id or name.") var node: String
    @OptionGroup var confirmation: Confirmation
    @OptionGroup var common: CommonOptions

    func confirm() throws(Failure) {
        try confirmation.ask("Node \(node) will be cut off for good: it must enrol anew to come back.")
    }
}

struct NodeLabel: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "label", abstract: "Set or take away labels: zone=a sets, zone- takes away.")
    @Argument(help: "Id or name.") var node: String
    @Argument(help: "zone=a or zone-.") var changes: [String]
    @OptionGroup var common: CommonOptions

    func validate() throws {
        for change in changes where Pair(argument: change) == nil && !(change.hasSuffix("-") && change.count > 1) {
            throw ValidationError("\"\(change)\" is neither name=value nor name-")
        }
    }

    func run() async throws {
        let controller = try Controller.connect()
        let path = "/api/v1/nodes/\(PercentEncoding.encode(node))"
        var labels: [String: String?] = [:]
        for change in changes {
            if let pair = Pair(argument: change) {
                labels[pair.name] = pair.value
            } else {
                labels.updateValue(nil, forKey: String(change.dropLast()))
            }
        }
        let changed: Node = try await controller.change("PATCH", path + "/labels", LabelsPatch(labels: labels))
        try common.output.show(changed, NodeCard.changed)
    }
}

struct NodeRemove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Forget a revoked node that has no services.", aliases: ["rm"])
    @Argument(help: "Id or name.") var node: String
    @OptionGroup var confirmation: Confirmation

    func run() async throws {
        try confirmation.ask("Node \(node) will be forgotten, with its metrics and its history.")
        try await Controller.connect().change("DELETE", "/api/v1/nodes/\(PercentEncoding.encode(node))")
        Terminal.note("Node \(node) is removed.")
    }
}
