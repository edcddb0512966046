import APIModels
import ArgumentParser
import Model

struct AllocationCommands: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "allocation", abstract: "What services hold of things of which there is one, and what none gets.",
        subcommands: [AllocationList.self, WithheldList.self, AllocationReserve.self, AllocationFree.self])
}

struct AllocationList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Addresses, guests' numbers, names and ports that services hold.",
        aliases: ["ls"])
    @Option(help: "Only this kind: ip, mac, vmid, port, subdomain, dataset, container.") var kind: String?
    @Option(help: "Only where it is unique: a node's id, cluster/NAME, network/NAME.") var scope: String?
    @Option(help: "Only this value.") var value: String?
    @Option(help: "Only those of this service: id or external id.") var service: String?
    @Option(help: "Only those on this node: id or name.") var node: String?
    @Flag(help: "Also what was given back since.") var history = false
    @Option(help: "At most so many.") var limit = 100
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if limit < 1 { throw ValidationError("--limit must be at least 1") }
    }

    func run() async throws {
        let query = Query([
            ("kind", kind), ("scope", scope), ("value", value), ("service", service), ("node", node),
            ("history", history ? "true" : nil),
        ])
        let found: [AllocationView] = try await Controller.connect().all(
            "/api/v1/allocations", query: query, limit: limit)
        try common.output.list(found) { found in
            var table = Table(
                "value", "kind", "scope", "slot", "service", "node", "since", "until", yielding: ["scope", "slot"])
            for item in found {
                table.add(
                    item.value, item.kind, item.scope, item.slot, item.service, item.nodeName ?? item.node,
                    Readable.age(item.since), item.until.flatMap { Readable.age($0) })
            }
            return table
        }
    }
}

struct WithheldList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "withheld", abstract: "Values that no service gets: reserved, a stranger's, or resting.")
    @Option(help: "Only this kind: ip, mac, vmid, port, subdomain.") var kind: String?
    @Option(help: "Only of this scope.") var scope: String?
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let found: [WithheldView] = try await Controller.connect().all(
            "/api/v1/withheld-values", query: Query([("kind", kind), ("scope", scope)]))
        try common.output.list(found) { found in
            var table = Table("id", "value", "kind", "scope", "reason", "until", "note", yielding: ["scope"])
            for item in found {
                table.add(
                    item.id, item.value, item.kind, item.scope, item.reason, Readable.end(item.until) ?? "for good",
                    item.note)
            }
            return table
        }
    }
}

struct AllocationReserve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reserve", abstract: "Let no service get a value from now on. Whoever holds it keeps it.")
    @Argument(help: "ip, mac, vmid, port, subdomain.") var kind: String
    @Argument(help: "The address, number or name.") var value: String
    @Option(help: "Where: a node's id, cluster/NAME, network/NAME; everywhere by default.") var scope: String?
    @Option(help: "A word for those who read it later.") var note: String?
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let request = WithholdRequest(kind: kind, scope: scope, value: value, note: note)
        let made: WithheldView = try await Controller.connect().change("POST", "/api/v1/withheld-values", request)
        try common.output.show(made) { "\($0.kind) \($0.value) is \($0.reason) (\($0.id))." }
    }
}

struct AllocationFree: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "free", abstract: "Let a withheld value be given out again; also one that rests, before its time.",
        aliases: ["rm"])
    @Argument(help: "The id that `withheld` shows.") var id: String

    func run() async throws {
        try await Controller.connect().change("DELETE", "/api/v1/withheld-values/\(PercentEncoding.encode(id))")
        Terminal.note("\(id) may be given out again.")
    }
}
