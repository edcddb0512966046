import APIModels
import Model
import WireProtocol

/// Says in a sentence what a change has come to: it looks at the thing, for a change only says where to look.
struct EventTeller {
    private let controller: Controller
    private let tellsAll: Bool
    private var last: [String: String] = [:]
    private var services: [String: String] = [:]

    /// - Parameter tellsAll: also what people find elsewhere.
    init(_ controller: Controller, tellsAll: Bool) {
        self.controller = controller
        self.tellsAll = tellsAll
    }

    /// Nil where the sentence would be the same as the last one of that thing, or is of no use.
    /// - Throws: when the controller cannot be asked now; the change is not told then.
    mutating func line(of notice: ChangeNotice) async throws(Failure) -> String? {
        guard let sentence = try await sentence(notice) else { return nil }
        let text = Terminal.clean(sentence)
        guard last[notice.kind + notice.id] != text else { return nil }
        if last.count > 1000 { last.removeAll() }
        last[notice.kind + notice.id] = text
        return "\(Timestamp.now().iso8601)  \(text)"
    }

    private mutating func sentence(_ notice: ChangeNotice) async throws(Failure) -> String? {
        let id = notice.id
        switch notice.kind {
        case "missed": return "some changes came too fast and were missed: look at the lists"
        case "node": return try await node(id)
        case "service": return try await service(id)
        case "operation": return try await operation(id)
        case "plan":
            guard let plan = try await look("plans", id) as Plan? else { return "plan \(id) is gone" }
            return "plan \(plan.name) is \(plan.retiredAt == nil ? "in revision \(plan.revision)" : "retired")"
        case "finding":
            guard let finding = try await look("findings", id) as FindingView? else { return nil }
            return "finding \(finding.kind) is \(finding.state): \(finding.summary) (\(id))"
        case "token", "key": return "\(notice.kind == "key" ? "API key" : "join token") \(id) is new or was changed"
        case "event": return try await event(notice)
        case "operation_log" where tellsAll: return "operation \(id) has something new in its log"
        case "audit" where tellsAll: return "\(id) is new in the audit log"
        case "audit", "operation_log": return nil
        default: return "\(notice.kind) \(id) is new or was changed"
        }
    }

    private func node(_ id: String) async throws(Failure) -> String {
        guard let node = try await look("nodes", id) as Node? else { return "node \(id) is gone" }
        let state = node.revokedAt == nil ? node.state : "revoked"
        return "node \(node.name) is \(state)\(node.schedulable ? "" : " and cordoned")"
    }

    private mutating func service(_ id: String) async throws(Failure) -> String? {
        guard let service = try await look("services", id) as Service? else { return nil }
        services[id] = service.externalID
        let place = service.nodeName ?? service.node
        return "service \(service.externalID ?? id) is \(service.state)" + (place.map { " on node \($0)" } ?? "")
    }

    private mutating func operation(_ id: String) async throws(Failure) -> String? {
        guard let operation = try await look("operations", id) as APIModels.Operation? else { return nil }
        let place = operation.nodeName ?? operation.node
        var subject = place.map { " on node \($0)" } ?? ""
        if let service = operation.service { subject = " of service \(try await name(ofService: service))" }
        let what = operation.command.map { "\(operation.kind) \($0.name)" } ?? operation.kind
        let step = operation.steps?.last { $0.state == "running" || $0.state == "undoing" }
        let reason = operation.error.map { ": \($0.message)" } ?? step.map { ", step \($0.name)" } ?? ""
        return "\(what)\(subject) \(operation.state)\(reason) (\(id))"
    }

    /// What a node saw; nil where it is not among its newest any more.
    private func event(_ notice: ChangeNotice) async throws(Failure) -> String? {
        guard let node = notice.node else { return nil }
        let query = Query([("node", node), ("limit", "50")])
        let newest: Listing<NodeEventView>
        do { newest = try await controller.get("/api/v1/node-events", query: query) } catch {
            if error.code == .notFound { return nil }
            throw error
        }
        guard let event = newest.items.first(where: { $0.id == notice.id }) else { return nil }
        let resource = event.resource.map { " \($0)" } ?? ""
        return "node \(event.nodeName ?? node) saw \(event.kind)\(resource)"
    }

    private mutating func name(ofService id: String) async throws(Failure) -> String {
        if let known = services[id] { return known }
        if services.count > 1000 { services.removeAll() }
        let name = (try await look("services", id) as Service?)?.externalID ?? id
        services[id] = name
        return name
    }

    /// Nil where there is no such thing any more.
    private func look<Thing: Decodable>(_ list: String, _ id: String) async throws(Failure) -> Thing? {
        do { return try await controller.get("/api/v1/\(list)/\(PercentEncoding.encode(id))") } catch {
            if error.code == .notFound { return nil }
            throw error
        }
    }
}
