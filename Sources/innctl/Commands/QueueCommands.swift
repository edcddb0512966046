import APIModels
import ArgumentParser
import Model
import WireProtocol

struct QueueCommands: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queue", abstract: "Tables of others in which work stands: each row becomes a service.",
        subcommands: [
            QueueList.self, QueueShow.self, QueueAdd.self, QueueUpdate.self, QueueRows.self, QueueRunCommand.self,
            QueueReplay.self, QueueRemove.self,
        ])
}

/// Paths, and one queue for people.
enum QueueCard {
    static func path(_ name: String) -> String { "/api/v1/queues/\(PercentEncoding.encode(name))" }

    static func text(_ queue: QueueView) -> String {
        var card = Card()
        card.add("name", queue.name)
        card.add("takes rows", queue.enabled ? "yes" : "no")
        for member in queue.settings.asObject?.members ?? [] {
            guard let part = member.value.asObject else {
                card.add(words(member.key), value(member.value))
                continue
            }
            let fields = part.members.map { "\($0.key)=\(value($0.value))" }
            if !fields.isEmpty { card.add(words(member.key), fields.joined(separator: ", ")) }
        }
        card.add("rows", text(queue.rows))
        if let last = queue.lastAt { card.add("last look", last.iso8601) }
        if let next = queue.nextAt { card.add("next look", next.iso8601) }
        if let problem = queue.problem { card.add("problem", problem) }
        return card.text
    }

    static func text(_ rows: QueueView.Rows) -> String {
        let counts = [
            ("working", rows.working), ("watching", rows.watching), ("ending", rows.ending), ("done", rows.done),
            ("overtaken", rows.overtaken), ("dead", rows.dead),
        ]
        let some = counts.filter { $0.1 > 0 }.map { "\($0.1) \($0.0)" }
        return some.isEmpty ? "none yet" : some.joined(separator: ", ")
    }

    private static func words(_ name: String) -> String { name.replacing("_", with: " ") }
    private static func value(_ value: JSONValue) -> String { value.asString ?? value.text }
}

struct QueueList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "All standing queues.", aliases: ["ls"])
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let listing: Listing<QueueView> = try await Controller.connect().get("/api/v1/queues")
        try common.output.list(listing.items) { queues in
            var table = Table("name", "tables", "plan", "rows", "looked", "problem", yielding: ["problem"])
            for queue in queues {
                table.add(
                    queue.name, queue.settings["tables"]?.asString, queue.settings["plan"]?.asString,
                    QueueCard.text(queue.rows), queue.enabled ? queue.lastAt.flatMap { Readable.age($0) } : "off",
                    queue.problem)
            }
            return table
        }
    }
}

struct QueueShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "One standing queue.")
    @Argument(help: "The queue's name.") var queue: String
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let shown: QueueView = try await Controller.connect().get(QueueCard.path(queue))
        try common.output.show(shown, QueueCard.text)
    }
}

/// The settings of a queue.
struct QueueOptions: ParsableArguments {
    @Option(name: [.short, .long], help: "A JSON file with the settings; - for standard input.")
    var file: String?
    @Option(help: "The integration that offers the tables.") var tables: String?
    @Option(help: "The plan of what the rows become.") var plan: String?
    @Option(help: "Whose the services are.") var customer: String?
    @Option(name: .long, help: "A label that nodes must carry, key=value; may be given again.")
    var label: [Pair] = []
    @Option(name: .customLong("set"), help: "Another setting, name=value or part.name=value; may be given again.")
    var fields: [FieldValue] = []

    func settings(over present: JSONObject) throws(Failure) -> JSONObject {
        var settings = present
        if let file {
            let text = try LocalFile.text(file, what: "--file")
            guard let read = (try? JSONParser.parse(Array(text.utf8)))?.asObject else {
                throw Failure(.usage, "\(file) holds no JSON object")
            }
            settings = read
        }
        if let tables { settings["tables"] = .string(tables) }
        if let plan { settings["plan"] = .string(plan) }
        if let customer { settings["customer"] = .string(customer) }
        for one in label { settings = Self.put(.string(one.value), at: ["labels", one.name], in: settings) }
        for field in fields {
            let names = field.name.split(separator: ".", maxSplits: 1).map(String.init)
            settings = Self.put(field.value, at: names, in: settings)
        }
        return settings
    }

    private static func put(_ value: JSONValue, at names: [String], in object: JSONObject) -> JSONObject {
        var object = object
        guard names.count == 2 else {
            object[names.first ?? ""] = value
            return object
        }
        var part = object[names[0]]?.asObject ?? [:]
        part[names[1]] = value
        object[names[0]] = .object(part)
        return object
    }
}

struct QueueAdd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Have a table looked into: each row that waits becomes a service.")
    @Argument(help: "What it is to be called.") var name: String
    @OptionGroup var wanted: QueueOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let settings = try wanted.settings(over: [:])
        let made: QueueView = try await Controller.connect().change(
            "POST", "/api/v1/queues", QueueRequest(name: name, settings: .object(settings)))
        try common.output.show(made, QueueCard.text)
    }
}

struct QueueUpdate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "update",
        abstract: "Change its settings, or whether it takes rows: what no flag names stays; a file replaces all.")
    @Argument(help: "The queue's name.") var queue: String
    @OptionGroup var wanted: QueueOptions
    @Flag(help: "Whether it takes anything new.") var state: Switch?
    @OptionGroup var common: CommonOptions

    enum Switch: String, EnumerableFlag { case enable, disable }

    func run() async throws {
        let controller = try Controller.connect()
        let present: QueueView = try await controller.get(QueueCard.path(queue))
        let before = present.settings.asObject ?? [:]
        let settings = try wanted.settings(over: before)
        let changed: QueueView = try await controller.change(
            "PUT", QueueCard.path(queue),
            QueueChange(settings: settings == before ? nil : .object(settings), enabled: state.map { $0 == .enable }))
        try common.output.show(changed, QueueCard.text)
    }
}

struct QueueRows: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rows", abstract: "Rows that were taken, newest first; without a queue, by requests too.")
    @Argument(help: "The queue's name.") var queue: String?
    @Option(help: "working, watching, ending, done, overtaken or dead.") var state: String?
    @Option(help: "The most to show, 1 to 500.") var limit = 50
    @OptionGroup var common: CommonOptions

    func run() async throws {
        var query = "limit=\(limit)"
        if let queue { query += "&queue=\(PercentEncoding.encode(queue))" }
        if let state { query += "&state=\(PercentEncoding.encode(state))" }
        let listing: Listing<QueueClaimView> = try await Controller.connect().get("/api/v1/queue-claims?\(query)")
        try common.output.list(listing.items) { claims in
            var table = Table("id", "row", "domain", "state", "service", "age", "problem", yielding: ["problem"])
            for one in claims {
                table.add(
                    one.id, one.row, one.domain, one.state, one.service, Readable.age(one.createdAt), one.problem)
            }
            return table
        }
    }
}

struct QueueRunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "run", abstract: "Look into a queue now.")
    @Argument(help: "The queue's name.") var queue: String
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let view: QueueRunView = try await Controller.connect().change("POST", QueueCard.path(queue) + "/run")
        try common.output.show(view) { view in
            var table = Table("row", "domain", "service", "operation", "taken")
            for one in view.taken {
                table.add(one.row, one.domain, one.service, one.operation, one.isNew ? "now" : "before")
            }
            return view.taken.isEmpty && view.problem == nil ? "Nothing waits there.\n" : table.text + "\n"
        }
        if let problem = view.problem { throw Failure(.failed, "queue \(queue) takes nothing new: \(problem)") }
    }
}

struct QueueReplay: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay", abstract: "Tell rows again what was given up.")
    @Argument(help: "The queue's name.") var queue: String
    @Option(help: "One row alone, by the id that rows shows.") var claim: String?
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let view: QueueReplayView = try await Controller.connect().change(
            "POST", QueueCard.path(queue) + "/replay", QueueReplayRequest(claim: claim))
        try common.output.show(view) { "\($0.replayed) rows are told again.\n" }
    }
}

struct QueueRemove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove a queue, with all that it was still to write. Its services stay.",
        aliases: ["rm"])
    @Argument(help: "The queue's name.") var queue: String
    @OptionGroup var confirmation: Confirmation

    func run() async throws {
        try confirmation.ask("Queue \(queue) will be removed.")
        try await Controller.connect().change("DELETE", QueueCard.path(queue))
        Terminal.note("Queue \(queue) is removed.")
    }
}
