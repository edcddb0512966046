import APIModels
import ControllerCore
import HTTPTypes
import Hummingbird
import Model
import NIOCore
import NIOEmbedded
import Store
import TestSupport
import WireProtocol

@testable import API
@testable import HTTP

/// A house in which two customers have the same things: each a service, with an operation, its journal and log, figures, an
/// event, a finding and an allocation. Everything of the other customer's, and of the fleet, has words that one customer must
/// never read; they also stand in what the fleet writes of his own service.
struct TwoCustomers: Sendable {
    /// What one customer has.
    struct Things: Sendable {
        var service = ""
        var operation = ""
        var finding = ""
        var backup = ""
        var externalID = ""
        var webhook = ""
        /// May look and change.
        var key = ""
        /// May look only.
        var reader = ""
    }

    /// Of the fleet, to fill paths with.
    struct Fleet: Sendable {
        var key = ""
        var token = ""
        var value = ""
    }

    let house: House
    private(set) var own = Things()
    private(set) var rival = Things()
    private(set) var fleet = Fleet()

    static let node = "nod_hidden"
    static let nodeName = "hidden-node"
    /// In all that is the other customer's.
    static let mark = "rival"
    static let words = "container web on hidden-node is of svc_rival, and not yours"

    init() async throws {
        house = try await House()
        try await house.addNode(Self.node, name: Self.nodeName)
        _ = try await house.ask(.put, "/api/v1/plans/small", House.plan)
        rival = try await things(of: Self.mark, 1)
        own = try await things(of: "mine", 2)
        _ = try await things(of: Self.mark, 3)
        fleet = try await plantFleet()
    }

    /// What the customer must not read, with what is known under which name.
    var secrets: [String] {
        [
            Self.mark, Self.node, Self.nodeName, rival.service, rival.operation, rival.finding, rival.backup,
            rival.webhook, fleet.key, fleet.token,
        ]
    }

    private func things(of customer: String, _ number: Int) async throws -> Things {
        var things = Things()
        let (store, time) = (house.store, house.clock.time)
        things.externalID = "\(customer):bill-\(number)"
        let ordered = try await house.ask(
            .post, "/api/v1/services",
            #"{"external_id":"\#(things.externalID)","customer":"\#(customer)","plan":"small","labels":{"team":"\#(customer)"}}"#
        ).model(AcceptedOperation.self)
        things.service = ordered.service?.id ?? ""
        things.operation = ordered.operation.id
        try await store.updateService(things.service, at: time) {
            ($0.state, $0.node) = (.running, Self.node)
            $0.address["dataset"] = .string("tank/\(customer)-\(number)")
            $0.observed = ["state": "running", "said": .string(Self.words)]
        }
        let id = things.service
        try await store.updateOperation(things.operation) {
            ($0.state, $0.node) = (.failed, Self.node)
            $0.result = ["leftovers": [["step": "container", "reason": .string(Self.words)]]]
            $0.error = OperationFailure(code: "foreign", message: Self.words, retryable: false, resource: Self.words)
        }
        let failure: JSONValue = [
            "kind": "final", "code": "foreign", "message": .string(Self.words), "effect": "none",
            "resource": .string(Self.words),
        ]
        try await store.appendJournal(
            things.operation, after: 0,
            [
                ["entry": "started", "deadline": 1, "context": [:]],
                ["entry": "step_started", "step": "container", "attempt": 1, "command": "cmd_1"],
                ["entry": "step_failed", "step": "container", "failure": failure],
            ], at: time)
        try await store.appendLog(
            things.operation,
            [
                OperationLogLine(time: time, level: "info", step: "container", text: "begins"),
                OperationLogLine(time: time, level: "info", step: "place", text: "\(Self.nodeName): it is cordoned"),
                OperationLogLine(time: time, level: "warning", step: "container", text: Self.words),
                OperationLogLine(time: time, level: "info", step: "container", text: "attempt 2"),
            ])
        try await store.raise(
            Finding(
                "drift.missing", subject: "service/\(id)", .error, node: Self.node, service: id, summary: Self.words,
                remedy: Self.words, data: ["said": .string(Self.words)]), at: time)
        let filter = FindingFilter(service: id)
        things.finding = try await store.findings(filter).items.first?.id ?? ""
        try await store.hold("docker/\(id)", on: Self.node, for: id, at: time)
        // The same name on another node was somebody else's.
        try await house.addNode("nod_\(number)", name: "\(Self.nodeName)-\(number)")
        for node in [Self.node, "nod_\(number)"] {
            let said = node == Self.node ? customer : Self.mark
            _ = try await store.take(
                Intake(
                    node: node,
                    series: [SeriesSet(set: "s\(number)", names: ["container/\(id).memory.used"])],
                    samples: [SampleRow(seq: Int64(number), time: time - .seconds(10), set: "s\(number)", values: [7])],
                    events: [
                        NodeEventReport(
                            seq: Int64(number), time: time, driver: "docker", resource: "docker/\(id)",
                            kind: "container.die", data: ["said": .string(said)])
                    ]))
        }
        _ = try await store.allocate(
            AllocationRequest(
                kind: "dataset", scope: Self.node, candidates: ["tank/\(customer)-\(number)"], node: Self.node,
                service: id, operation: things.operation), at: time)
        things.backup = Identifier.make("bak")
        try await store.insertBackup(
            BackupRecord(id: things.backup, service: id, name: Self.words, node: Self.node, sizeBytes: 7, madeAt: time))
        things.key = try await key(customer, ["read", "services"])
        let hook = #"{"name":"hook of \#(customer)","url":"https://\#(customer).example.org/"}"#
        things.webhook = try await house.ask(.post, "/api/v1/webhooks", hook, key: things.key).model(WebhookView.self)
            .id
        things.reader = try await key(customer, ["read"])
        return things
    }

    private func key(_ customer: String, _ scopes: [String]) async throws -> String {
        let scopes = JSONValue.array(scopes.map { .string($0) }).text
        let body = #"{"name":"key of \#(customer)","scopes":\#(scopes),"customer":"\#(customer)"}"#
        return try await house.ask(.post, "/api/v1/keys", body).model(APIKey.self).secret ?? ""
    }

    private func plantFleet() async throws -> Fleet {
        var fleet = Fleet()
        fleet.key = try await house.ask(.post, "/api/v1/keys", #"{"name":"rival desk","scopes":["read"]}"#)
            .model(APIKey.self).id
        fleet.token = try await house.ask(.post, "/api/v1/tokens", #"{"labels":{"for":"rival"}}"#)
            .model(JoinTokenView.self).id
        _ = try await house.ask(
            .put, "/api/v1/networks/rivalnet", #"{"kind":"bridge","interface":"vmbr0"}"#)
        fleet.value = try await house.ask(
            .post, "/api/v1/withheld-values", #"{"kind":"port","value":"8080","note":"rival"}"#
        ).model(WithheldView.self).id
        return fleet
    }

    /// What stands for a parameter of a path: of one customer, else of the fleet.
    func value(_ parameter: String, _ things: Things) -> String {
        switch parameter {
        case "service": things.service
        case "operation": things.operation
        case "finding": things.finding
        case "backup": things.backup
        case "webhook": things.webhook
        case "node": Self.node
        case "plan": "small"
        case "product": "container"
        case "verb": "suspend"
        case "network": "rivalnet"
        case "key": fleet.key
        case "token": fleet.token
        case "value": fleet.value
        default: "some-\(parameter)"
        }
    }

    func path(_ endpoint: Endpoint, _ value: (String) -> String) -> String {
        endpoint.parameters.reduce(endpoint.path) { path, parameter in
            path.replacing("{\(parameter)}", with: value(parameter))
        }
    }

    /// A body that goes as deep as one can without knowing the endpoint.
    static func body(_ endpoint: Endpoint, customer: String = "mine") -> String? {
        guard let model = endpoint.description.body else { return nil }
        if model == ServiceBody.self { return #"{"customer":"\#(customer)","plan":"small"}"# }
        if model == DomainRequest.self { return #"{"domain":"example.net"}"# }
        if model == UpgradeBody.self { return #"{"overrides":{"memory_bytes":134217728}}"# }
        return endpoint.description.isBodyOptional ? nil : "{}"
    }
}

extension House {
    /// The answer; of an event stream what comes until `text` has come, all of it for an empty text, hardly anything for none.
    func hear(
        _ endpoint: Endpoint, _ path: String, _ body: String? = nil, key: String, until text: String? = nil,
        headers: HTTPFields = [:]
    ) async throws -> Reply {
        guard endpoint.description.mediaType == "text/event-stream" else {
            return try await ask(endpoint.method, path, body, key: key, headers: headers)
        }
        var fields = headers
        if !key.isEmpty { fields[.authorization] = "Bearer \(key)" }
        let request = Request(
            head: HTTPRequest(method: .get, scheme: "https", authority: "test", path: path, headerFields: fields),
            body: RequestBody(buffer: ByteBuffer()))
        let channel = NIOAsyncTestingChannel()
        let context = APIContext(source: ApplicationRequestContextSource(channel: channel, logger: Self.logger))
        let response = try await responder.respond(to: request, context: context)
        let writer = ReplyWriter()
        let reading = Task { try await response.body.write(writer) }
        if text?.isEmpty == true || response.status != .ok {
            try await reading.value
        } else if let text {
            _ = await eventually {
                writer.bytes.withLock { String(decoding: $0, as: UTF8.self).contains(text) }
            }
        }
        _ = try await channel.finish(acceptAlreadyClosed: true)
        try? await reading.value
        return Reply(response: response, body: writer.bytes.withLock { $0 })
    }
}

extension Reply {
    /// All that a reader gets.
    var everything: String {
        response.headers.map { "\($0.name.canonicalName): \($0.value)" }.joined(separator: "\n") + "\n" + text
    }
}
