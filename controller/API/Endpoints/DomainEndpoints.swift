import APIModels
import ControllerCore
import HTTP
import HTTPTypes

extension APIResources {
    /// Domains of customers' own.
    var domains: [Endpoint] {
        [
            Endpoint(
                .get, "/api/v1/services/{service}/domains", .read,
                .init(
                    summary: "A service's own domains, with what their customer puts into DNS", tag: "domains",
                    isForCustomers: true, answer: Listing<DomainView>.self)
            ) { call in try await .model(queries(call).domains(of: call.path("service"))) },
            Endpoint(
                .post, "/api/v1/services/{service}/domains", .services,
                .init(
                    summary: "Take up a domain; nothing is done for it before it is proven", tag: "domains",
                    isForCustomers: true, body: DomainRequest.self, answer: DomainView.self, status: 201, repeated: 200)
            ) { call in
                let wanted = try call.model(DomainRequest.self).domain
                let id = try await service(call).id
                let taken = try await operations.addDomain(wanted, to: id, by: call.requester)
                let view = try await queries(call).changed(taken.record)
                guard taken.isNew else { return try .model(view) }
                return try .model(view, status: 201, location: "/api/v1/services/\(id)/domains")
            },
            Endpoint(
                .post, "/api/v1/services/{service}/domains/{domain}/check", .services,
                .init(
                    summary: "Take a domain as far as it goes: proof, route, certificate, page", tag: "domains",
                    isForCustomers: true, answer: AcceptedOperation.self, status: 202, repeated: 200)
            ) { call in
                try await ordered(
                    operations.checkDomain(call.path("domain"), of: service(call).id, by: call.requester), call)
            },
            Endpoint(
                .delete, "/api/v1/services/{service}/domains/{domain}", .services,
                .init(
                    summary: "Give a domain up: what serves it goes, then it is free", tag: "domains",
                    isForCustomers: true, body: ReasonRequest.self, isBodyOptional: true,
                    answer: AcceptedOperation.self, status: 202, repeated: 200)
            ) { call in
                let reason = try call.reason()
                return try await ordered(
                    operations.removeDomain(
                        call.path("domain"), of: service(call).id, because: reason, by: call.requester), call)
            },
        ]
    }

    /// 202; 200 for what was ordered before.
    func ordered(_ taken: ServiceOperation, _ call: APICall) async throws -> Answer {
        try await answer(queries(call).accepted(taken), isNew: taken.created)
    }
}
