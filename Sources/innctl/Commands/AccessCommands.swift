import APIModels
import ArgumentParser
import Model
import WireProtocol

struct KeyCommands: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "API keys.",
        subcommands: [KeyCreate.self, KeyList.self, KeyRevoke.self])
}

struct KeyCreate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make an API key. Its text is shown this once.")
    @Argument(help: "A name for it: who or what will use it.") var name: String
    @Option(name: .long, help: "read, services, nodes, commands, plans or admin; may be given again.") var scope:
        [String]
    @Option(help: "How long it is good for: 24h, 90d. For ever by default.") var expires: Span?
    @Option(help: "Bind it to one customer: it opens what is his. Its scopes can be read and services.")
    var customer: String?
    @OptionGroup var common: CommonOptions

    func run() async throws {
        var scopes: [Scope] = []
        for name in scope {
            guard let known = Scope(rawValue: name) else {
                throw Failure(
                    .usage, "--scope must be one of read, services, nodes, commands, plans, admin, not \"\(name)\"")
            }
            scopes.append(known)
        }
        let request = APIKeyRequest(
            name: name, scopes: scopes, expiresInSeconds: expires?.seconds, customer: customer)
        let key: APIKey = try await Controller.connect().change("POST", "/api/v1/keys", request)
        try common.output.withSecret.show(key) { $0.secret ?? "" }
        if common.output.isForPeople {
            let customer = key.customer.map { ", for customer \($0)" } ?? ""
            Terminal.note("Key \(key.id): \(key.scopes.joined(separator: ", "))\(customer).")
        }
    }
}

struct KeyList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "All API keys.", aliases: ["ls"])
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let keys: [APIKey] = try await Controller.connect().all("/api/v1/keys")
        try common.output.list(keys) { keys in
            var table = Table(
                "id", "name", "scopes", "customer", "age", "last used", "expires", "revoked",
                yielding: ["age", "last used"])
            for key in keys {
                table.add(
                    key.id, key.name, key.scopes.joined(separator: ","), key.customer, Readable.age(key.createdAt),
                    Readable.age(key.lastUsedAt), Readable.end(key.expiresAt), Readable.end(key.revokedAt))
            }
            return table
        }
    }
}

struct KeyRevoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Refuse an API key from now on.", aliases: ["rm"])
    @Argument(help: "The key's id.") var id: String
    @OptionGroup var confirmation: Confirmation

    func run() async throws {
        let controller = try Controller.connect()
        let keys: [APIKey] = try await controller.all("/api/v1/keys")
        let called = keys.first { $0.id == id }.map { "\($0.name) (\($0.scopes.joined(separator: ", ")); \(id))" } ?? id
        try confirmation.ask("Whoever uses the key \(called) will be refused from now on.")
        try await controller.change("DELETE", "/api/v1/keys/\(PercentEncoding.encode(id))")
        Terminal.note(Terminal.clean("Key \(called) is revoked."))
    }
}

struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Who changed what, newest first.")
    @OptionGroup var limit: LimitOption
    @Option(help: "Only changes of this node, service, plan, …") var subject: String?
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let controller = try Controller.connect()
        let entries: [AuditEntry] = try await controller.all(
            "/api/v1/audit", query: Query([("subject", subject)]), limit: limit.count)
        let names = common.output.isForPeople ? await AuditNames.of(entries, controller) : [:]
        try common.output.list(entries) { entries in
            var table = Table(
                "time", "who", "what", "of", "from", "detail", wide: "who id", "of id", yielding: ["from"])
            for entry in entries {
                table.add(
                    Readable.time(entry.time), entry.actorName ?? entry.actor, entry.action,
                    names[entry.subject] ?? entry.subject, entry.remote, Readable.brief(entry.detail),
                    wide: entry.actor, entry.subject)
            }
            return table
        }
    }
}

/// What people call the things that an audit log names.
enum AuditNames {
    static func of(_ entries: [AuditEntry], _ controller: Controller) async -> [String: String] {
        let services = entries.map(\.subject).filter { $0.hasPrefix("svc_") }
        let names = await Names.of(services: services, controller)
        var found: [String: String] = [:]
        for id in services { found[id] = names.service(id) }
        guard entries.contains(where: { $0.subject.hasPrefix("nod") }) else { return found }
        let nodes: [Node] = (try? await controller.all("/api/v1/nodes")) ?? []
        return nodes.reduce(into: found) { found, node in found[node.id] = node.name }
    }
}
