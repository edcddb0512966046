import APIModels
import ControllerCore
import HTTP
import HTTPTypes
import WireProtocol

extension APIResources {
    var services: [Endpoint] { serviceViews + [serviceOrder] + serviceChanges }

    private var serviceViews: [Endpoint] {
        [
            Endpoint(
                .get, "/api/v1/services", .read,
                .init(
                    summary: "Services, oldest first; terminated ones only when asked for", tag: "services",
                    isForCustomers: true,
                    query: [
                        "limit", "cursor", .word("state", among: ServiceQuestion.states), .text("node", "Id or name."),
                        "customer", "plan", .many("label", "name=value or a name; a service must have all of them."),
                        "external_id", "terminated",
                    ],
                    answer: Listing<Service>.self)
            ) { call in try await listServices(call) },
            Endpoint(
                .get, "/api/v1/services/{service}", .read,
                .init(
                    summary: "One service, by id or external id, with its newest figures and operation",
                    tag: "services", isForCustomers: true, answer: Service.self)
            ) { call in try await .model(queries(call).service(named: call.path("service"))) },
        ]
    }

    private func listServices(_ call: APICall) async throws -> Answer {
        if let externalID = call.query["external_id"] {
            return try await serviceNamed(externalID, call)
        }
        var question = ServiceQuestion()
        question.withTerminated = try call.query.flag("terminated")
        question.state = try call.query.word("state", among: ServiceQuestion.states)
        (question.node, question.customer) = (call.query["node"], call.query["customer"])
        question.plan = call.query["plan"]
        question.labels = try Self.labels(call)
        let wanted = question
        return try await call.page("services") { try await queries(call).services(wanted, $0) }
    }

    /// `name=value`, or a name alone. Of two values of one label neither may silently win.
    private static func labels(_ call: APICall) throws(Problem) -> [String: String?] {
        var labels: [String: String?] = [:]
        for text in call.query.all("label") {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let value: String? = parts.count == 2 ? parts[1] : nil
            if let other = labels[parts[0]], other != value {
                throw Problem(.invalidField, "label \(parts[0].prefix(64)) is asked for twice", field: "label")
            }
            labels.updateValue(value, forKey: parts[0])
        }
        return labels
    }

    /// One or none, in whatever state; with another filter beside it, the question would have two meanings.
    private func serviceNamed(_ externalID: String, _ call: APICall) async throws -> Answer {
        for other in ["state", "node", "customer", "plan", "label", "terminated"] where call.query[other] != nil {
            throw Problem(.invalidField, "the query parameter \(other) cannot stand beside external_id", field: other)
        }
        return try await .model(queries(call).services(externalID: externalID))
    }

    private var serviceOrder: Endpoint {
        Endpoint(
            .post, "/api/v1/services", .services,
            .init(
                summary: "Provision a service; the same external_id and order again is the same service",
                tag: "services", isForCustomers: true, body: ServiceBody.self, answer: AcceptedOperation.self,
                status: 202, repeated: 200)
        ) { call in
            let request = try await wanted(call.model(ServiceBody.self), call)
            return try await answer(operations.createService(request, by: call.requester), call)
        }
    }

    private var serviceChanges: [Endpoint] {
        [
            change("suspend", "Stop a service and keep its data") { id, reason, requester in
                try await operations.suspend(id, reason: reason, by: requester)
            },
            change("resume", "Start a suspended service") { id, reason, requester in
                try await operations.resume(id, reason: reason, by: requester)
            },
            change("terminate", "End a service and destroy its data") { id, reason, requester in
                try await operations.terminate(id, reason: reason, by: requester)
            },
            change("retry", "Provision a service anew whose provisioning failed") { id, reason, requester in
                try await operations.retry(id, reason: reason, by: requester)
            },
            change("repair", "Bring back a container that is stopped or missing") { id, reason, requester in
                try await operations.repair(id, reason: reason, by: requester)
            },
            upgrade, abandon, verb,
            Endpoint(
                .delete, "/api/v1/services/{service}", .services,
                .init(
                    summary: "The same as terminate", tag: "services", isForCustomers: true, body: ReasonRequest.self,
                    isBodyOptional: true,
                    answer: AcceptedOperation.self, status: 202, repeated: 200)
            ) { call in
                try await ordered("terminate", call) { id, reason, requester in
                    try await operations.terminate(id, reason: reason, by: requester)
                }
            },
        ]
    }

    private var upgrade: Endpoint {
        Endpoint(
            .post, "/api/v1/services/{service}/upgrade", .services,
            .init(
                summary: "Give a service another plan or other amounts", tag: "services", isForCustomers: true,
                body: UpgradeBody.self,
                answer: AcceptedOperation.self, status: 202, repeated: 200)
        ) { call in
            let order = try call.model(UpgradeBody.self)
            let service = try await service(call)
            let overrides = try operations.catalogue.revealed(
                (order.overrides ?? [:]).fields("overrides"), of: service.product, from: nil, path: "overrides")
            let request = UpgradeRequest(plan: order.plan, overrides: overrides)
            return try await answer(operations.upgrade(service.id, request, by: call.requester), call)
        }
    }

    /// What a product can do to its services beyond what all can.
    private var verb: Endpoint {
        Endpoint(
            .post, "/api/v1/services/{service}/verbs/{verb}", .services,
            .init(
                summary: "Do one of the verbs of the service's product", tag: "services", isForCustomers: true,
                body: VerbBody.self, isBodyOptional: true, answer: AcceptedOperation.self, status: 202, repeated: 200)
        ) { call in
            let order = try call.optionalModel(VerbBody.self) ?? VerbBody()
            return try await answer(
                operations.order(
                    call.path("verb"), on: service(call).id,
                    parameters: (order.parameters ?? [:]).fields("parameters"), because: order.reason,
                    by: call.requester), call)
        }
    }

    private var abandon: Endpoint {
        Endpoint(
            .post, "/api/v1/services/{service}/abandon", .services,
            .init(
                summary: "Strike a service off the books whose node is revoked; what is on that node stays there",
                tag: "services", body: ReasonRequest.self, isBodyOptional: true, answer: Service.self)
        ) { call in
            let reason = try call.reason()
            return try await .model(
                queries(call).changed(operations.abandon(service(call).id, reason: reason, by: call.requester)))
        }
    }

    /// Takes a service's id and the reason.
    private typealias Perform = @Sendable (String, String?, Requester) async throws -> ServiceOperation

    private func change(_ verb: String, _ summary: String, _ order: @escaping Perform) -> Endpoint {
        Endpoint(
            .post, "/api/v1/services/{service}/\(verb)", .services,
            .init(
                summary: summary, tag: "services", isForCustomers: true, body: ReasonRequest.self,
                isBodyOptional: true, answer: AcceptedOperation.self, status: 202, repeated: 200)
        ) { call in
            try await ordered(verb, call, order)
        }
    }

    /// Billing systems order twice: what is so already is a success, not a conflict.
    private func ordered(_ verb: String, _ call: APICall, _ order: Perform) async throws -> Answer {
        let reason = try call.reason()
        let service = try await service(call)
        do {
            return try await answer(order(service.id, reason, call.requester), call)
        } catch let error as CoreError {
            guard case .notAllowedInState = error, let done = try await queries(call).done(verb, service.id) else {
                throw error
            }
            return try .model(done)
        }
    }

    private func answer(_ taken: ServiceOperation, _ call: APICall) async throws -> Answer {
        try await answer(queries(call).accepted(taken), isNew: taken.created)
    }
}
