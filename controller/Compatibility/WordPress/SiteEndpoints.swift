import APIModels
import ControllerCore
import HTTP
import HTTPTypes
import Model
import WireProtocol

/// `POST /create-site`.
struct CreateSite: Decodable, Sendable {
    var serviceID: SiteNumber
    var email: String
    var plan: String
    var publicIP: String?
    var title: String?
}

/// Bodies that name nothing but the site.
struct SiteBody: Decodable, Sendable {
    var serviceID: SiteNumber
}

extension WordPressAPI {
    func sites(_ paths: Paths) -> [Endpoint] {
        [
            Endpoint(
                .post, paths("/create-site"), .services,
                .init(summary: "Order a site", tag: "sites", body: CreateSite.self, repeated: 202)
            ) { call in try await create(call.model(CreateSite.self), paths, call) },
            Endpoint(
                .post, paths("/delete-site"), .services,
                .init(
                    summary: "Remove a site with all that it has", tag: "sites", isForCustomers: true,
                    body: SiteBody.self)
            ) { call in
                try await change("terminate", paths, call) { id, requester throws(CoreError) in
                    try await operations.terminate(id, by: requester)
                }
            },
            Endpoint(
                .post, paths("/suspend"), .services,
                .init(summary: "Stop a site", tag: "sites", isForCustomers: true, body: SiteBody.self)
            ) { call in
                try await change("suspend", paths, call) { id, requester throws(CoreError) in
                    try await operations.suspend(id, by: requester)
                }
            },
            Endpoint(
                .post, paths("/unsuspend"), .services,
                .init(summary: "Start a stopped site", tag: "sites", isForCustomers: true, body: SiteBody.self)
            ) { call in
                try await change("resume", paths, call) { id, requester throws(CoreError) in
                    try await operations.resume(id, by: requester)
                }
            },
            Endpoint(
                .get, paths("/status"), .read,
                .init(summary: "How a site is", tag: "sites", isForCustomers: true, query: ["service_id"])
            ) { call in
                let site = try await site(asked: call)
                guard site.service.state != "terminated" else {
                    throw Problem(.notFound, "site \(site.number.text) is deleted", field: "service_id")
                }
                return .site(site.json)
            },
            Endpoint(.get, paths("/health"), nil, .init(summary: "Whether orders are taken", tag: "health")) { call in
                try await operations.isReady()
                return .site(["status": "ok", "timestamp": .string(call.time.iso8601)])
            },
        ]
    }

    private func change(
        _ verb: String, _ paths: Paths, _ call: APICall,
        _ order: @Sendable (String, Requester) async throws(CoreError) -> ServiceOperation
    ) async throws -> Answer {
        let number = try call.model(SiteBody.self).serviceID
        let work = try await self.order(once: verb, site(number, call), call, order)
        return try await answer(work, number, paths, call)
    }

    // MARK: orders

    private func create(_ body: CreateSite, _ paths: Paths, _ call: APICall) async throws -> Answer {
        let request = try await request(body, call)
        let taken = try await queries(call).accepted(operations.createService(request, by: call.requester))
        guard let service = taken.service, !["terminating", "terminated"].contains(service.state) else {
            throw Problem(
                .conflict, "site \(body.serviceID.text) was deleted; a new one needs a service_id of its own",
                field: "service_id")
        }
        let work = try await provisioning(of: service, taken.operation, call)
        return try await answer(work, body.serviceID, paths, call, isOwnFault: false)
    }

    /// What makes the site: what runs for it already, or another try where the last one has failed.
    private func provisioning(
        of service: Service, _ first: APIModels.Operation, _ call: APICall
    ) async throws -> Work {
        let newest = try await newestOperation("provision", of: service.id, call) ?? first
        guard newest.isFinished else { return Work(id: newest.id) }
        guard service.state == "failed", newest.state != "succeeded" else { return Work(id: newest.id, isDone: true) }
        do throws(CoreError) {
            let again = try await operations.retry(service.id, by: call.requester)
            return Work(id: try await queries(call).accepted(again).operation.id)
        } catch {
            // Somebody else who asked at the same time was sooner.
            guard case .notAllowedInState = error,
                let other = try await newestOperation("provision", of: service.id, call),
                other.id != newest.id
            else { throw error }
            return Work(id: other.id)
        }
    }

    private func request(_ body: CreateSite, _ call: APICall) async throws -> ServiceRequest {
        var overrides: JSONObject = ["email": .string(body.email)]
        overrides["title"] = body.title.map { .string($0) }
        let spec = try await spec(ofPlan: body.plan, call)
        if let address = body.publicIP {
            overrides["addresses"] = [.string(try await own(address, spec, call))]
        }
        return ServiceRequest(
            externalID: body.serviceID.externalID, customer: body.email.lowercased(), plan: body.plan,
            overrides: overrides)
    }

    private func spec(ofPlan name: String, _ call: APICall) async throws -> JSONObject {
        let wrong = Problem(.invalidField, "plan names no plan of sites: \(name.prefix(64))", field: "plan")
        do throws(CoreError) {
            let plan = try await queries(call).plan(name)
            guard plan.product == Self.product else { throw CoreError.notFound(kind: "plan", id: name) }
            return plan.spec.asObject ?? [:]
        } catch {
            guard case .notFound = error else { throw error }
            throw wrong
        }
    }

    /// One of those under which our proxy is reached; a name that led elsewhere would be somebody else's site.
    private func own(_ text: String, _ spec: JSONObject, _ call: APICall) async throws -> String {
        let wrong = Problem(
            .invalidField, "public_ip must be one of our addresses, not \(text.prefix(64))", field: "public_ip")
        guard let address = IPAddress(text) else { throw wrong }
        var own = spec["addresses"]?.asArray?.compactMap(\.asString) ?? []
        own += try await queries(call).proxyAddresses(of: spec["proxy"]?.asString)
        guard own.contains(where: { IPAddress($0) == address }) else { throw wrong }
        return "\(address)"
    }
}
