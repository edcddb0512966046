import APIModels
import ArgumentParser
import Model
import WireProtocol

// What nodes have told: events, what is missing, and what their drivers have.

struct NodeEvents: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events", abstract: "What a node saw, newest first; without a node, what all saw.")
    @Argument(help: "Id or name.") var node: String?
    @Option(help: "Only those of this service: id or external id.") var service: String?
    @Option(help: "Only this kind, such as container.died.") var kind: String?
    @Option(help: "Only of this resource, as its driver calls it: docker/db.") var resource: String?
    @OptionGroup var limit: LimitOption
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let query = Query([("node", node), ("service", service), ("kind", kind), ("resource", resource)])
        let events: [NodeEventView] = try await Controller.connect().all(
            "/api/v1/node-events", query: query, limit: limit.count)
        try common.output.list(events) { events in
            var table = Table("time", "kind", "resource", "node", "data", wide: "node id")
            for event in events {
                table.add(
                    Readable.time(event.time), event.kind, event.resource, event.nodeName ?? event.node,
                    Readable.brief(event.data),
                    wide: event.node)
            }
            return table
        }
    }
}

struct NodeGaps: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gaps", abstract: "Data of a node that never came, newest first; without a node, of all.")
    @Argument(help: "Id or name.") var node: String?
    @Option(help: "Only this kind: metrics, usage or events.") var kind: String?
    @OptionGroup var limit: LimitOption
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let gaps: [GapView] = try await Controller.connect().all(
            "/api/v1/gaps", query: Query([("node", node), ("kind", kind)]), limit: limit.count)
        try common.output.list(gaps) { gaps in
            var table = Table("from", "to", "kind", "missing", "node", "reason", wide: "node id")
            for gap in gaps {
                let count = gap.fromSeq == 0 && gap.toSeq == 0 ? "unknown" : String(gap.toSeq - gap.fromSeq + 1)
                table.add(
                    Readable.time(gap.from), Readable.time(gap.to), gap.kind, count, gap.nodeName ?? gap.node,
                    gap.reason,
                    wide: gap.node)
            }
            return table
        }
    }
}

struct NodeInventory: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inventory", abstract: "What the drivers of a node have: containers, datasets, sites, …")
    @Argument(help: "Id or name.") var node: String
    @Option(help: "Only of this driver.") var driver: String?
    @Option(help: "Only this resource, with all that its driver says of it: docker/db.") var resource: String?
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let items: [InventoryItemView] = try await Controller.connect().all(
            "/api/v1/inventory", query: Query([("node", node), ("driver", driver), ("resource", resource)]))
        try common.output.list(items) { items in
            var table = Table("resource", "driver", "age", "state")
            for item in items {
                table.add(
                    item.resource, item.driver, Readable.age(item.updatedAt),
                    resource == nil ? Readable.sight(item.state) : Readable.brief(item.state))
            }
            return table
        }
    }
}
