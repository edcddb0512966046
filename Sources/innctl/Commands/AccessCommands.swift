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
            var table = Table("id", "name", "scopes", "customer", "created", "last used", "expires", "revoked")
            for key in keys {
                table.add(
                    key.id, key.name, key.scopes.joined(separator: ","), key.customer, key.createdAt.iso8601,
                    Readable.age(key.lastUsedAt), key.expiresAt?.iso8601, key.revokedAt?.iso8601)
            }
            return table
        }
    }
}

struct KeyRevoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "revoke", abstract: "Refuse an API key from now on.")
    @Argument(help: "The key's id.") var id: String
    @OptionGroup var confirmation: Confirmation

    func run() async throws {
        try confirmation.ask("Whoever uses the key \(id) will be refused from now on.")
        try await Controller.connect().change("DELETE", "/api/v1/keys/\(PercentEncoding.encode(id))")
        Terminal.note("Key \(id) is revoked.")
    }
}

struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Who changed what, newest first.")
    @OptionGroup var limit: LimitOption
    @Option(help: "Only changes of this node, service, plan, …") var subject: String?
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let entries: [AuditEntry] = try await Controller.connect().all(
            "/api/v1/audit", query: Query([("subject", subject)]), limit: limit.count)
        try common.output.list(entries) { entries in
            var table = Table("time", "who", "what", "of", "from", "detail")
            for entry in entries {
                table.add(
                    entry.time.iso8601, entry.actorName.map { "\($0) (\(entry.actor))" } ?? entry.actor, entry.action,
                    entry.subject, entry.remote, entry.detail?.text)
            }
            return table
        }
    }
}
