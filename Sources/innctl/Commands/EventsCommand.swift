import APIModels
import ArgumentParser
import HTTPFetch
import Model
import WireProtocol

struct EventsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events", abstract: "What changes, in words, as it changes, until interrupted.",
        discussion: """
            innctl events --kind operation --kind service
            innctl events --node web1
            innctl events -o json | jq -r .id

            A controller that is away is waited for. What people find elsewhere (audit, operation_log) is told only with \
            --kind, or to programs.
            """)
    @Option(
        name: .long,
        help: ArgumentHelp("Only this kind: \(Self.kinds.joined(separator: ", ")); may be given again."))
    var kind: [String] = []
    @Option(help: "Only what concerns this node: id or name.") var node: String?
    @Option(help: "Only what concerns this service: id or external id.") var service: String?
    @OptionGroup var common: CommonOptions

    private static let kinds = [
        "node", "token", "key", "plan", "service", "operation", "event", "finding", "audit", "operation_log",
    ]

    func validate() throws {
        for name in kind where !Self.kinds.contains(name) {
            throw ValidationError(
                "there is no kind \"\(name.prefix(40))\"\(Near.guess(name, among: Self.kinds)) "
                    + "There are: \(Self.kinds.joined(separator: ", ")).")
        }
    }

    func run() async throws {
        let controller = try Controller.connect()
        let wanted = try await WantedChanges(node: node, service: service, controller)
        var query = Query()
        for kind in kind { query.append("kind", kind) }
        var teller = EventTeller(controller, tellsAll: !kind.isEmpty)
        var (last, silence) = (String?.none, 0)
        while true {
            do throws(Failure) {
                let stream = try await controller.events("/api/v1/events", query: query, after: last)
                if silence > 1 { Terminal.note("… the controller is back") }
                silence = 0
                try await read(stream, &last, wanted, &teller)
            } catch {
                guard error.code == .unreachable else { throw error }
                if silence == 0 { Terminal.note("… \(error.message); trying again") }
            }
            silence += 1
            try await Task.sleep(for: .milliseconds(min(5000, 250 * silence)))
        }
    }

    /// One connection to its end.
    private func read(
        _ stream: HTTPStream, _ last: inout String?, _ wanted: WantedChanges, _ teller: inout EventTeller
    ) async throws(Failure) {
        var reader = EventReader()
        do {
            for try await chunk in stream {
                for event in try reader.read(chunk) {
                    try await tell(event, wanted, &teller)
                    // What could not be told is asked for again.
                    last = event.id ?? last
                }
            }
        } catch let error as HTTPError {
            throw Failure(error)
        } catch {
            throw error as? Failure ?? Failure(.failed, "the controller sent an event that cannot be read: \(error)")
        }
    }

    private func tell(_ event: ServerEvent, _ wanted: WantedChanges, _ teller: inout EventTeller) async throws {
        guard event.name == "change" || event.name == "missed" else { return }
        let json = try JSONParser.parse(Array(event.data.utf8), limits: .answer)
        let notice = try BodyDecoder.model(ChangeNotice.self, from: json)
        guard wanted.takes(notice) else { return }
        switch common.output {
        case .json, .yaml: Terminal.say(event.data)
        case .name: Terminal.say(Terminal.clean(notice.id))
        case .table, .wide: if let line = try await teller.line(of: notice) { Terminal.say(line) }
        }
    }
}

/// Whom a change must concern, by the ids that changes name.
private struct WantedChanges {
    private let node: String?
    private let service: String?

    init(node: String?, service: String?, _ controller: Controller) async throws(Failure) {
        if let node {
            self.node = (try await controller.get("/api/v1/nodes/\(PercentEncoding.encode(node))") as Node).id
        } else {
            self.node = nil
        }
        if let service {
            let path = "/api/v1/services/\(PercentEncoding.encode(service))"
            self.service = (try await controller.get(path) as Service).id
        } else {
            self.service = nil
        }
    }

    func takes(_ notice: ChangeNotice) -> Bool {
        guard notice.kind != "missed" else { return true }
        return [(node, notice.node), (service, notice.service)].allSatisfy { wanted, of in
            wanted == nil || wanted == of || wanted == notice.id
        }
    }
}
