import APIModels
import ArgumentParser

struct DomainCommands: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "domain", abstract: "Domains of customers' own.",
        subcommands: [DomainList.self, DomainAdd.self, DomainCheck.self, DomainRemove.self])

    static func path(_ service: String, _ domain: String? = nil) -> String {
        let rest = domain.map { "/" + PercentEncoding.encode($0) } ?? ""
        return "/api/v1/services/\(PercentEncoding.encode(service))/domains\(rest)"
    }
}

struct DomainList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "A service's own domains, and what each waits for.", aliases: ["ls"])
    @Argument(help: "Id or external id of the service.") var service: String
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let listing: Listing<DomainView> = try await Controller.connect().get(DomainCommands.path(service))
        try common.output.list(listing.items) { domains in
            var table = Table("domain", "state", "since", "reason", wide: "checked")
            for domain in domains {
                table.add(
                    domain.unicode.map { "\($0) (\(domain.domain))" } ?? domain.domain, domain.state,
                    Readable.age(domain.since), domain.reason, wide: Readable.age(domain.checkedAt))
            }
            return table
        }
    }
}

struct DomainAdd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Take up a domain; shows the records that its customer puts into DNS.")
    @Argument(help: "Id or external id of the service.") var service: String
    @Argument(help: "The domain; its www comes along.") var domain: String
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let made: DomainView = try await Controller.connect().change(
            "POST", DomainCommands.path(service), DomainRequest(domain: domain))
        try common.output.show(made, Self.text)
    }

    private static func text(_ domain: DomainView) -> String {
        var card = Card()
        card.add("domain", domain.domain)
        card.add("reads", domain.unicode)
        card.add("state", domain.state)
        card.add("reason", domain.reason)
        for record in [domain.proof] + domain.records {
            card.add("record", "\(record.name) \(record.type) \(record.value)")
        }
        return card.text
    }
}

struct DomainCheck: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Take a domain as far as it goes now, without waiting for the next look.")
    @Argument(help: "Id or external id of the service.") var service: String
    @Argument(help: "The domain.") var domain: String
    @OptionGroup var waiting: WaitOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let controller = try Controller.connect()
        let accepted: AcceptedOperation = try await controller.change(
            "POST", DomainCommands.path(service, domain) + "/check", key: waiting.idempotencyKey)
        try await Follow(controller, waiting, common.output).finish(accepted)
    }
}

struct DomainRemove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Give a domain up: what serves it goes, then others can have it.",
        aliases: ["rm"])
    @Argument(help: "Id or external id of the service.") var service: String
    @Argument(help: "The domain.") var domain: String
    @OptionGroup var why: ReasonOption
    @OptionGroup var confirmation: Confirmation
    @OptionGroup var waiting: WaitOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        try confirmation.ask("Domain \(domain) will no more lead to service \(service).")
        let controller = try Controller.connect()
        let accepted: AcceptedOperation = try await controller.change(
            "DELETE", DomainCommands.path(service, domain), why.request, key: waiting.idempotencyKey)
        try await Follow(controller, waiting, common.output).finish(accepted)
    }
}
