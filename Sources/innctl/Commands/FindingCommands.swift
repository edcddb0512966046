import APIModels
import ArgumentParser
import Model

struct FindingCommands: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "finding", abstract: "What is not as it should be, and what to do.",
        subcommands: [FindingList.self, FindingShow.self, FindingAcknowledge.self, FindingResolve.self])
}

struct FindingList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Findings that are not resolved, newest first.", aliases: ["ls"])
    @Option(help: "Only these: open, acknowledged or resolved.") var state: String?
    @Option(help: "Only these: info, warning or error.") var severity: String?
    @Option(help: "Only this kind: clock.ahead, usage.elsewhere, …") var kind: String?
    @Option(help: "Only those of this node: id or name.") var node: String?
    @Option(help: "Only those of this service: id or external id.") var service: String?
    @Flag(help: "Resolved ones as well.") var all = false
    @OptionGroup var limit: LimitOption
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let query = Query([
            ("state", state), ("severity", severity), ("kind", kind), ("node", node), ("service", service),
            ("resolved", all ? "true" : nil),
        ])
        let findings: [FindingView] = try await Controller.connect().all(
            "/api/v1/findings", query: query, limit: limit.count)
        try common.output.list(findings) { findings in
            var table = Table("id", "severity", "since", "state", "kind", "summary", wide: "node", "node id")
            for finding in findings {
                table.add(
                    finding.id, finding.severity, Readable.age(finding.since), finding.state, finding.kind,
                    finding.summary, wide: finding.nodeName, finding.node)
            }
            return table
        }
    }
}

struct FindingShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "One finding, and what to do.")
    @Argument(help: "The finding's id.") var id: String
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let path = "/api/v1/findings/\(PercentEncoding.encode(id))"
        let finding: FindingView = try await Controller.connect().get(path)
        try common.output.show(finding, FindingCard.text)
    }
}

/// One finding for people.
enum FindingCard {
    static func text(_ finding: FindingView) -> String {
        var card = Card()
        card.add("id", finding.id)
        card.add("summary", finding.summary)
        card.add("what to do", finding.remedy)
        card.add("severity", finding.severity)
        card.add("state", finding.state)
        card.add("kind", finding.kind)
        card.add("about", finding.subject)
        card.add("node", Readable.node(finding.node, finding.nodeName))
        card.add("since", finding.since.iso8601)
        card.add("last seen", finding.lastSeen.iso8601)
        card.add("acknowledged", finding.acknowledgedAt.map { "\($0.iso8601) by \(finding.acknowledgedBy ?? "-")" })
        card.add("resolved", finding.resolvedAt.map { "\($0.iso8601) by \(finding.resolvedBy ?? "-")" })
        card.add("note", finding.note)
        return card.text + (finding.data.map { "\ndata:\n" + PrettyJSON.text($0) } ?? "")
    }
}

/// A decision on a finding that answers with the finding.
protocol FindingDecision: AsyncParsableCommand {
    var id: String { get }
    var note: String? { get }
    var common: CommonOptions { get }
    static var verb: String { get }
}

extension FindingDecision {
    func run() async throws {
        let path = "/api/v1/findings/\(PercentEncoding.encode(id))/\(Self.verb)"
        let finding: FindingView = try await Controller.connect().change("POST", path, NoteRequest(note: note))
        try common.output.show(finding, FindingCard.text)
    }
}

struct FindingAcknowledge: FindingDecision {
    static let configuration = CommandConfiguration(
        commandName: "acknowledge", abstract: "Say that somebody knows of a finding.", aliases: ["ack"])
    static let verb = "acknowledge"
    @Argument(help: "The finding's id.") var id: String
    @Option(help: "A word for those who read it later.") var note: String?
    @OptionGroup var common: CommonOptions
}

struct FindingResolve: FindingDecision {
    static let configuration = CommandConfiguration(
        commandName: "resolve", abstract: "Say that a finding is settled. If it is not, it is raised anew.")
    static let verb = "resolve"
    @Argument(help: "The finding's id.") var id: String
    @Option(help: "A word for those who read it later.") var note: String?
    @OptionGroup var common: CommonOptions
}
