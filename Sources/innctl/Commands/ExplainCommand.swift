import APIModels
import ArgumentParser

struct ServiceExplain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Where a service would be placed now, and why not elsewhere. Changes nothing."
    )
    @Option(help: "Whose it would be.") var customer = "nobody"
    @OptionGroup var wanted: WantedOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        wanted.sizes.tellDoubts()
        let controller = try Controller.connect()
        let placement: PlacementView
        do {
            placement = try await controller.change("POST", "/api/v1/placements", wanted.order(of: customer))
        } catch { throw await error.naming(plan: wanted.plan, controller) }
        try common.output.show(placement) { placement in
            let choice = placement.nodes.first { $0.node == placement.node }
            let place = choice.map { "node \($0.name), pool \(placement.pool ?? "-")" } ?? "no node can take it"
            return Terminal.clean(place) + "\n\n" + PlacementTable.of(placement).text(width: Terminal.width)
        }
    }
}

/// The word on every node, for people.
enum PlacementTable {
    static func of(_ placement: PlacementView) -> Table {
        var table = Table("node", "verdict", "score", "why")
        for word in placement.nodes {
            table.add(word.name, word.verdict, word.score.map { String($0) }, reason(word))
        }
        if let more = placement.leftOut { table.add(nil, nil, nil, "and \(more) more nodes") }
        return table
    }

    /// The controller's sentence without the name that the row begins with.
    private static func reason(_ word: PlacementWord) -> String {
        let start = "\(word.name): "
        return word.explanation.hasPrefix(start) ? String(word.explanation.dropFirst(start.count)) : word.explanation
    }
}
