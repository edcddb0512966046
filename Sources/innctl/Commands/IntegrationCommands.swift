import APIModels
import ArgumentParser
import Model
import WireProtocol

struct IntegrationCommands: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "integration",
        abstract: "Services of others that the controller works with: DNS, proxies, panels.",
        subcommands: [
            IntegrationList.self, IntegrationShow.self, IntegrationKinds.self, IntegrationAdd.self,
            IntegrationUpdate.self, IntegrationTest.self, IntegrationRemove.self,
        ])
}

struct IntegrationList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "All that are set up.", aliases: ["ls"])
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let listing: Listing<IntegrationView> = try await Controller.connect().get("/api/v1/integrations")
        try common.output.list(listing.items) { integrations in
            var table = Table("name", "kind", "services", "changed")
            for integration in integrations {
                table.add(
                    integration.name, integration.kind, "\(integration.users)", Readable.age(integration.changedAt))
            }
            return table
        }
    }
}

struct IntegrationShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "One integration, without its secrets.")
    @Argument(help: "The integration's name.") var name: String
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let integration: IntegrationView = try await Controller.connect().get(IntegrationCard.path(name))
        try common.output.show(integration, IntegrationCard.text)
    }
}

/// One integration for people.
enum IntegrationCard {
    static func path(_ name: String) -> String { "/api/v1/integrations/\(PercentEncoding.encode(name))" }

    static func text(_ integration: IntegrationView) -> String {
        var card = Card()
        card.add("name", integration.name)
        card.add("kind", integration.kind)
        for member in integration.settings.asObject?.members ?? [] {
            card.add(member.key.replacing("_", with: " "), text(member.value))
        }
        for secret in integration.secretsSet { card.add(secret.replacing("_", with: " "), "(set)") }
        card.add("services", "\(integration.users)")
        card.add("changed", integration.changedAt.iso8601)
        return card.text
    }

    private static func text(_ value: JSONValue) -> String {
        value.asString ?? value.asArray.map { $0.map(text).joined(separator: ", ") } ?? value.text
    }
}

struct IntegrationKinds: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kinds", abstract: "What can be set up; with a name, the schema of its settings.")
    @Argument(help: "The kind's name.") var kind: String?
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let listing: Listing<IntegrationKindView> = try await Controller.connect().get("/api/v1/integration-kinds")
        guard let kind else {
            return try common.output.list(listing.items) { kinds in
                var table = Table("name", "offers", "summary")
                for kind in kinds { table.add(kind.name, kind.offers.joined(separator: ","), kind.summary) }
                return table
            }
        }
        guard let found = listing.items.first(where: { $0.name == kind }) else {
            throw Failure(.notFound, "there is no kind of integration \(kind)")
        }
        try common.output.show(found) { PrettyJSON.text($0.schema) + "\n" }
    }
}

struct IntegrationAdd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Set one up. Its service is not called yet; test does that.")
    @Argument(help: "What it is to be called.") var name: String
    @Option(help: "Its kind; innctl integration kinds tells which there are.") var kind: String
    @OptionGroup var wanted: IntegrationOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let controller = try Controller.connect()
        let settings = try wanted.settings(over: [:], secrets: try await wanted.secrets(of: kind, controller))
        let made: IntegrationView = try await controller.change(
            "POST", "/api/v1/integrations", IntegrationRequest(name: name, kind: kind, settings: .object(settings)))
        try common.output.show(made, IntegrationCard.text)
    }
}

struct IntegrationUpdate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "update",
        abstract:
            "Change its settings: what no flag names stays; a file replaces all but the secrets that it leaves out.")
    @Argument(help: "The integration's name.") var name: String
    @OptionGroup var wanted: IntegrationOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let controller = try Controller.connect()
        let present: IntegrationView = try await controller.get(IntegrationCard.path(name))
        let settings = try wanted.settings(
            over: present.settings.asObject ?? [:], secrets: try await wanted.secrets(of: present.kind, controller))
        let changed: IntegrationView = try await controller.change(
            "PUT", IntegrationCard.path(name), IntegrationChange(settings: .object(settings)))
        try common.output.show(changed, IntegrationCard.text)
    }
}

struct IntegrationTest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: "Call its service and look whether everything is as it must be.")
    @Argument(help: "The integration's name.") var name: String
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let test: IntegrationTestView = try await Controller.connect().change(
            "POST", IntegrationCard.path(name) + "/test")
        try common.output.show(test) { test in
            test.checks.map { "\($0.passed ? "ok    " : "FAILED")  \($0.name): \($0.message)\n" }.joined()
        }
        guard test.passed else { throw Failure(.failed, "integration \(name) is not as it must be") }
    }
}

struct IntegrationRemove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove one that no service uses. What its service keeps stays there.",
        aliases: ["rm"])
    @Argument(help: "The integration's name.") var name: String
    @OptionGroup var confirmation: Confirmation

    func run() async throws {
        try confirmation.ask("Integration \(name) will be removed.")
        try await Controller.connect().change("DELETE", IntegrationCard.path(name))
        Terminal.note("Integration \(name) is removed.")
    }
}
