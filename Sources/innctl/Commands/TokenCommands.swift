import APIModels
import ArgumentParser
import Model

struct TokenCommands: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Join tokens, with which machines enrol.",
        subcommands: [TokenCreate.self, TokenList.self, TokenRevoke.self])
}

struct TokenCreate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make a join token. Its text is shown this once.")
    @Option(help: "How many machines may join with it.") var uses = 1
    @Option(help: "How long it is good for: 90s, 15m, 24h, 7d.") var expires = Span(argument: "24h")!
    @Option(name: .long, help: "A label that the nodes get, name=value; may be given again.") var label: [Pair] = []
    @Flag(help: "Trust whoever joins with it at once; else each node waits for 'innctl node approve'.")
    var approved = false
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let request = JoinTokenRequest(
            uses: uses, expiresInSeconds: expires.seconds, labels: label.map, approved: approved ? true : nil)
        let token: JoinTokenView = try await Controller.connect().change("POST", "/api/v1/tokens", request)
        // The bare text on standard output, so that TOKEN=$(innctl token create) works.
        try common.output.withSecret.show(token) { $0.token ?? "" }
        if common.output.isForPeople {
            Terminal.note("Token \(token.id): \(token.usesLeft) use(s), until \(token.expiresAt.iso8601).")
            if token.approved != true {
                Terminal.note("What joins with it is only looked at, until 'innctl node approve NODE' trusts it.")
            }
        }
    }
}

struct TokenList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "All join tokens.", aliases: ["ls"])
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let controller = try Controller.connect()
        let tokens: [JoinTokenView] = try await controller.all("/api/v1/tokens")
        try common.output.list(tokens) { tokens in
            var table = Table(
                "id", "uses left", "expires", "revoked", "created by", "approves", "labels", yielding: ["created by"])
            for token in tokens {
                table.add(
                    token.id, String(token.usesLeft), Readable.end(token.expiresAt), Readable.end(token.revokedAt),
                    token.createdByName ?? token.createdBy, token.approved == true ? "yes" : "no",
                    Readable.labels(token.labels))
            }
            return table
        }
    }
}

struct TokenRevoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Refuse a join token from now on.", aliases: ["rm"])
    @Argument(help: "The token's id.") var id: String
    @OptionGroup var confirmation: Confirmation

    func run() async throws {
        let controller = try Controller.connect()
        let tokens: [JoinTokenView] = try await controller.all("/api/v1/tokens")
        let token = tokens.first { $0.id == id }
        let facts = [
            token.map { "\($0.usesLeft) use(s) left" }, token.map { Readable.labels($0.labels) }?.nilIfEmpty,
            token?.createdAt.iso8601.prefix(10).description,
        ]
        let called = token == nil ? id : "\(id) (\(facts.compactMap(\.self).joined(separator: ", ")))"
        try confirmation.ask("Machines that still hold the join token \(called) will not be able to join.")
        try await controller.change("DELETE", "/api/v1/tokens/\(PercentEncoding.encode(id))")
        Terminal.note(Terminal.clean("Token \(called) is revoked."))
    }
}
