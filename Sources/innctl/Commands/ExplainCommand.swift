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
        let placement: PlacementView = try await Controller.connect().change(
            "POST", "/api/v1/placements", wanted.order(of: customer))
        try common.output.show(placement) { placement in
            let choice = placement.nodes.first { $0.node == placement.node }
            let place = choice.map { "node \($0.name), pool \(placement.pool ?? "-")" } ?? "no node can take it"
            return Terminal.clean(place) + "\n\n" + PlacementTable.of(placement).text
        }
    }
}

/// The word on every node, for people.
enum PlacementTable {
    static func of(_ placement: PlacementView) -> Table {
        var table = Table("verdict", "score", "node")
        for word in placement.nodes {
            table.add(word.verdict, word.score.map { String($0) }, word.explanation)
        }
        if let more = placement.leftOut { table.add(nil, nil, "and \(more) more nodes") }
        return table
    }
}
