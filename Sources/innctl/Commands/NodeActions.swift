import APIModels
import ArgumentParser
import Model
import WireProtocol

struct NodeActions: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "actions", abstract: "What the drivers of a node can do; with an action, what it takes.")
    @Argument(help: "Id or name.") var node: String
    @Argument(help: "The driver and the action: zfs.dataset.ensure.") var action: String?
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let path = "/api/v1/nodes/\(PercentEncoding.encode(node))/actions"
        let offers = (try await Controller.connect().get(path) as Listing<ActionOffer>).items
        guard let action else { return try common.output.list(offers, Self.table) }
        guard let offer = offers.first(where: { $0.name == action }) else {
            let guess = Near.guess(action, among: offers.map(\.name))
            throw Failure(.notFound, "\(action) is nothing that a driver of \(node) can do\(guess)")
        }
        try common.output.show(offer, Self.text)
    }

    private static func table(_ offers: [ActionOffer]) -> Table {
        var table = Table("action", "kind", "works on", "deadline", "allowed", "what it does")
        for offer in offers {
            table.add(
                offer.name, offer.kind, offer.resource ?? "", "\(offer.deadlineSeconds) s", offer.permission,
                offer.summary)
        }
        return table
    }

    private static func text(_ offer: ActionOffer) -> String {
        let head = """
            \(offer.name): \(offer.summary)
            \(offer.kind), works on \(offer.resource ?? "what --resource says"), \(offer.deadlineSeconds) s, allowed: \
            \(offer.permission)
            """
        guard let arguments = offer.arguments else { return head + "\n\nThe node does not say what it takes." }
        let rows = SchemaRow.rows(of: arguments) + SchemaRow.rows(of: offer.secrets, isSecret: true)
        guard !rows.isEmpty else { return head + "\n\nIt takes no arguments." }
        var table = Table("argument", "value", "needed", "default", "what for")
        for row in rows { table.add(row.name, row.value, row.need, row.fallback, row.help) }
        return "\(head)\n\n\(table.text)"
    }
}

extension ActionOffer {
    fileprivate var permission: String { allowed ? "yes" : guarded ? "no (the policy must name it)" : "no" }
}

/// One argument, as a node's JSON Schema has it.
private struct SchemaRow {
    let name: String
    let value: String
    let need: String
    let fallback: String?
    let help: String?

    /// Those of an object, with the fields of objects within it: `mounts[].source`.
    static func rows(of schema: JSONValue?, below path: String = "", isSecret: Bool = false) -> [SchemaRow] {
        let needed = Set((schema?["required"]?.asArray ?? []).compactMap(\.asString))
        return (schema?["properties"]?.asObject?.members ?? []).flatMap { member in
            let name = path + member.key
            let isNeeded = needed.contains(member.key)
            let row = SchemaRow(
                name: name, value: value(of: member.value),
                need: (isNeeded ? "yes" : "no") + (isSecret ? ", secret" : ""),
                fallback: member.value["default"]?.text, help: member.value["description"]?.asString)
            return [row] + rows(of: member.value, below: "\(name).", isSecret: isSecret)
                + rows(of: member.value["items"], below: "\(name)[].", isSecret: isSecret)
        }
    }

    private static func value(of schema: JSONValue) -> String {
        if let words = schema["enum"]?.asArray { return words.compactMap(\.asString).joined(separator: " | ") }
        if let items = schema["items"] { return "list of \(value(of: items))" }
        let kind = schema["format"]?.asString ?? schema["type"]?.asString ?? "JSON"
        switch (schema["minimum"]?.text, schema["maximum"]?.text) {
        case (let least?, let most?): return "\(kind) \(least) to \(most)"
        case (let least?, nil): return "\(kind) from \(least)"
        default: return kind
        }
    }
}
