import APIModels
import ArgumentParser

struct NodeDrain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain", abstract: "Place nothing new on a node, and move what is there elsewhere.",
        discussion: """
            Services are moved one after another, in the background; innctl node show tells how far it is, and why a service stays. \
            innctl node uncordon calls it off.
            """)
    @Argument(help: "Id or name.") var node: String
    @Flag(help: "Stop what cannot be moved, until the node is uncordoned.") var stop = false
    @OptionGroup var confirmation: Confirmation
    @OptionGroup var common: CommonOptions

    func run() async throws {
        if stop { try confirmation.ask("What cannot be moved from node \(node) will be stopped.") }
        let path = "/api/v1/nodes/\(PercentEncoding.encode(node))/drain"
        let changed: Node = try await Controller.connect().change("POST", path, DrainRequest(stop: stop))
        try common.output.show(changed, NodeCard.changed)
    }
}

struct NodeUncordon: NodeChange {
    static let configuration = CommandConfiguration(
        commandName: "uncordon",
        abstract: "Let a node take new services again; a drain ends, and what it has stopped is started.",
        aliases: ["undrain"])
    static let verb = "uncordon"
    @Argument(help: "Id or name.") var node: String
    @OptionGroup var common: CommonOptions
}

/// How far a drain is, for people.
enum DrainCard {
    static func add(_ drain: NodeDrainView, to card: inout Card) {
        guard drain.left > 0 else { return card.add("drain", "done: no service is left") }
        let rest = drain.stops ? "stopped" : "left as it is"
        card.add("drain", "\(drain.left) services are left; what cannot be moved is \(rest)")
        for service in drain.services { card.add("  \(service.externalID ?? service.id)", text(of: service)) }
        if drain.left > drain.services.count { card.add("  …", "\(drain.left - drain.services.count) more") }
    }

    private static func text(of service: DrainedService) -> String {
        let operation = service.operation.map { ", operation \($0)" } ?? ""
        return "\(service.standing) (\(service.product), \(service.state))"
            + (service.reason.map { ": \($0)" } ?? "") + operation
    }
}
