import APIModels
import ArgumentParser
import Model
import WireProtocol

struct WebhookCommands: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "webhook", abstract: "Endpoints of others that are told what happens to services.",
        subcommands: [
            WebhookList.self, WebhookShow.self, WebhookAdd.self, WebhookUpdate.self, WebhookRotate.self,
            WebhookTest.self, WebhookDeliveries.self, WebhookReplay.self, WebhookRemove.self,
        ])
}

/// Paths, and one webhook for people.
enum WebhookCard {
    static func path(_ id: String) -> String { "/api/v1/webhooks/\(PercentEncoding.encode(id))" }

    static func text(_ webhook: WebhookView) -> String {
        var card = Card()
        card.add("id", webhook.id)
        card.add("name", webhook.name)
        card.add("customer", webhook.customer ?? "(all)")
        card.add("url", webhook.url)
        card.add("events", webhook.events.isEmpty ? "(all)" : webhook.events.joined(separator: ", "))
        if webhook.hasAuthority { card.add("authority", "(its own)") }
        if webhook.allowPrivate { card.add("private addresses", "allowed") }
        if let since = webhook.disabledAt {
            card.add("switched off", "\(since.iso8601): \(webhook.disabledBecause ?? "")")
        }
        if let until = webhook.previousSecretUntil { card.add("old secret until", until.iso8601) }
        card.add("changed", webhook.changedAt.iso8601)
        return card.text
    }
}

struct WebhookList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "All webhooks, without their secrets.", aliases: ["ls"])
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let webhooks: [WebhookView] = try await Controller.connect().all("/api/v1/webhooks")
        try common.output.list(webhooks) { webhooks in
            var table = Table("id", "name", "customer", "url", "state", yielding: ["url"])
            for webhook in webhooks {
                table.add(
                    webhook.id, webhook.name, webhook.customer, webhook.url,
                    webhook.disabledAt == nil ? "on" : "off")
            }
            return table
        }
    }
}

struct WebhookShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "One webhook, without its secret.")
    @Argument(help: "Its id.") var webhook: String
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let shown: WebhookView = try await Controller.connect().get(WebhookCard.path(webhook))
        try common.output.show(shown, WebhookCard.text)
    }
}

struct WebhookAdd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Have an endpoint told what happens. Its secret is shown this once.")
    @Argument(help: "A name for it.") var name: String
    @Option(help: "https://HOST/PATH.") var url: String
    @Option(help: "Tell it of this customer's services alone.") var customer: String?
    @Option(name: .long, help: "A kind of event; may be given again. All without it.") var event: [String] = []
    @Option(help: "A PEM file of the authorities that alone may vouch for it.") var authority: String?
    @Flag(help: "It may be in a private network, or on the controller's machine.") var allowPrivate = false
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let request = WebhookRequest(
            name: name, url: url, customer: customer, events: event.isEmpty ? nil : event,
            authority: try authority.map { try LocalFile.text($0, what: "--authority") },
            allowPrivate: allowPrivate ? true : nil)
        let made: WebhookView = try await Controller.connect().change("POST", "/api/v1/webhooks", request)
        try common.output.withSecret.show(made) { $0.secret ?? "" }
        if common.output.isForPeople { Terminal.note("Webhook \(made.id). Its receiver checks messages with this.") }
    }
}

struct WebhookUpdate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "update", abstract: "Change a webhook, or switch it off and on. What no flag names stays.")
    @Argument(help: "Its id.") var webhook: String
    @Option(help: "Another name.") var name: String?
    @Option(help: "Another URL.") var url: String?
    @Option(name: .long, help: "A kind of event; may be given again.") var event: [String] = []
    @Flag(help: "Tell it of everything.") var allEvents = false
    @Option(help: "A PEM file of the authorities that alone may vouch for it.") var authority: String?
    @Flag(help: "Whether it is told anything.") var state: Switch?
    @OptionGroup var common: CommonOptions

    enum Switch: String, EnumerableFlag { case enable, disable }

    func run() async throws {
        let events = allEvents ? [] : event.isEmpty ? nil : event
        let change = WebhookChange(
            name: name, url: url, events: events,
            authority: try authority.map { try LocalFile.text($0, what: "--authority") },
            enabled: state.map { $0 == .enable })
        let changed: WebhookView = try await Controller.connect().change("PUT", WebhookCard.path(webhook), change)
        try common.output.show(changed, WebhookCard.text)
    }
}

struct WebhookRotate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate", abstract: "Give it a new secret, shown this once. For a day the old one signs too.")
    @Argument(help: "Its id.") var webhook: String
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let made: WebhookView = try await Controller.connect().change("POST", WebhookCard.path(webhook) + "/rotate")
        try common.output.withSecret.show(made) { $0.secret ?? "" }
    }
}

struct WebhookTest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: "Send it a message and tell what came of it.")
    @Argument(help: "Its id.") var webhook: String
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let controller = try Controller.connect()
        let path = WebhookCard.path(webhook)
        var delivery: DeliveryView = try await controller.change("POST", path + "/test")
        let end = ContinuousClock.now + .seconds(25)
        while delivery.state == "waiting", delivery.attempts == 0, ContinuousClock.now < end {
            try await Task.sleep(for: .milliseconds(300))
            let newest: Listing<DeliveryView> = try await controller.get(path + "/deliveries?limit=100")
            delivery = newest.items.first { $0.id == delivery.id } ?? delivery
        }
        let seen = delivery
        try common.output.show(seen) { _ in
            seen.state == "delivered" ? "Message \(seen.id) was taken (\(seen.status ?? 0)).\n" : ""
        }
        guard seen.state == "delivered" else {
            throw Failure(.failed, "message \(seen.id) was not taken: \(seen.problem ?? "it still waits")")
        }
    }
}

struct WebhookDeliveries: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deliveries", abstract: "Its messages, newest first.")
    @Argument(help: "Its id.") var webhook: String
    @Option(help: "waiting, delivered or dead.") var state: String?
    @Option(help: "The most to show, 1 to 500.") var limit = 50
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let query = state.map { "&state=\(PercentEncoding.encode($0))" } ?? ""
        let listing: Listing<DeliveryView> = try await Controller.connect().get(
            "\(WebhookCard.path(webhook))/deliveries?limit=\(limit)\(query)")
        try common.output.list(listing.items) { deliveries in
            var table = Table(
                "id", "event", "subject", "state", "attempts", "status", "age", "problem", yielding: ["problem"])
            for one in deliveries {
                table.add(
                    one.id, one.event, one.subject, one.state, "\(one.attempts)", one.status.map { "\($0)" },
                    Readable.age(one.createdAt), one.problem)
            }
            return table
        }
    }
}

struct WebhookReplay: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay", abstract: "Send again what was given up.")
    @Argument(help: "Its id.") var webhook: String
    @Option(help: "One message alone.") var delivery: String?
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let view: ReplayView = try await Controller.connect().change(
            "POST", WebhookCard.path(webhook) + "/replay", ReplayRequest(delivery: delivery))
        try common.output.show(view) { "\($0.replayed) messages are sent again.\n" }
    }
}

struct WebhookRemove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove a webhook, with all that waits for it.", aliases: ["rm"])
    @Argument(help: "Its id.") var webhook: String
    @OptionGroup var confirmation: Confirmation

    func run() async throws {
        try confirmation.ask("Webhook \(webhook) will be removed.")
        try await Controller.connect().change("DELETE", WebhookCard.path(webhook))
        Terminal.note("Webhook \(webhook) is removed.")
    }
}
