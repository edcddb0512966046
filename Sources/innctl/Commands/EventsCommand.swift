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
            """)
    @Option(
        name: .long,
        help: "Only this kind: node, token, plan, service, operation, event, …; may be given again.")
    var kind: [String] = []
    @Option(help: "Only what concerns this node: id or name.") var node: String?
    @Option(help: "Only what concerns this service: id or external id.") var service: String?
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let controller = try Controller.connect()
        let wanted = try await Wanted(node: node, service: service, controller)
        var query = Query()
        for kind in kind { query.append("kind", kind) }
        let stream = try await controller.events("/api/v1/events", query: query, after: nil)
        var (reader, teller) = (EventReader(), EventTeller(controller))
        do {
            for try await chunk in stream {
                for event in try reader.read(chunk) where event.name == "change" || event.name == "missed" {
                    let json = try JSONParser.parse(Array(event.data.utf8), limits: .answer)
                    let notice = try BodyDecoder.model(ChangeNotice.self, from: json)
                    guard wanted.takes(notice) else { continue }
                    switch common.output {
                    case .json, .yaml: Terminal.say(event.data)
                    case .name: Terminal.say(Terminal.clean(notice.id))
                    case .table, .wide: if let line = await teller.line(of: notice) { Terminal.say(line) }
                    }
                }
            }
        } catch let error as HTTPError {
            throw Failure(error)
        }
    }
}

/// Whom a change must concern, by the ids that changes name.
private struct Wanted {
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

/// Says in a sentence what a change has come to: it looks at the thing, for a change only says where to look.
private struct EventTeller {
    private let controller: Controller
    private var last: [String: String] = [:]

    init(_ controller: Controller) { self.controller = controller }

    /// Nil where the sentence would be the same as the last one of that thing.
    mutating func line(of notice: ChangeNotice) async -> String? {
        let text = Terminal.clean(await sentence(notice))
        guard last[notice.kind + notice.id] != text else { return nil }
        if last.count > 1000 { last.removeAll() }
        last[notice.kind + notice.id] = text
        return "\(Timestamp.now().iso8601)  \(text)"
    }

    private func sentence(_ notice: ChangeNotice) async -> String {
        switch notice.kind {
        case "missed": return "some changes came too fast and were missed: look at the lists"
        case "node": return await node(notice.id)
        case "service": return await service(notice.id)
        case "operation": return await operation(notice.id)
        default:
            let places = [notice.service.map { "service \($0)" }, notice.node.map { "node \($0)" }].compactMap(\.self)
            let what = notice.kind == "operation_log" ? "log of operation" : notice.kind
            return "\(what) \(notice.id) is new or different"
                + (places.isEmpty ? "" : " (\(places.joined(separator: ", ")))")
        }
    }

    private func node(_ id: String) async -> String {
        guard let node = try? await controller.get("/api/v1/nodes/\(id)") as Node else { return "node \(id) is gone" }
        let state = node.revokedAt == nil ? node.state : "revoked"
        return "node \(node.name) is \(state)\(node.schedulable ? "" : " and cordoned")"
    }

    private func service(_ id: String) async -> String {
        guard let service = try? await controller.get("/api/v1/services/\(id)") as Service else {
            return "service \(id) cannot be read"
        }
        let place = service.nodeName ?? service.node
        return "service \(service.externalID ?? id) is \(service.state)" + (place.map { " on node \($0)" } ?? "")
    }

    private func operation(_ id: String) async -> String {
        guard let operation = try? await controller.get("/api/v1/operations/\(id)") as APIModels.Operation else {
            return "operation \(id) cannot be read"
        }
        let place = operation.nodeName ?? operation.node
        let subject = operation.service.map { " of service \($0)" } ?? place.map { " on node \($0)" } ?? ""
        let step = operation.steps?.last { $0.state == "running" || $0.state == "undoing" }
        let reason = operation.error.map { ": \($0.message)" } ?? step.map { ", step \($0.name)" } ?? ""
        return "\(operation.kind)\(subject) \(operation.state)\(reason) (\(id))"
    }
}
