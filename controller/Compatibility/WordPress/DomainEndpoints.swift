import APIModels
import ControllerCore
import HTTP
import HTTPTypes
import WireProtocol

/// `POST /customdomain/add`.
struct DomainBody: Decodable, Sendable {
    var serviceID: SiteNumber
    var domain: String
}

extension WordPressAPI {
    func domains(_ paths: Paths) -> [Endpoint] {
        [
            Endpoint(
                .post, paths("/customdomain/add"), .services,
                .init(
                    summary: "Take up a domain of the customer's, and serve it once it is proven", tag: "domains",
                    isForCustomers: true, body: DomainBody.self, repeated: 202)
            ) { call in try await addDomain(call.model(DomainBody.self), paths, call) }
        ]
    }

    /// Asked again it goes on where it stood: 200 once the domain shows the site, 202 with what is missing until then.
    private func addDomain(_ body: DomainBody, _ paths: Paths, _ call: APICall) async throws -> Answer {
        let name = try await takeUp(body.domain, site(body.serviceID, call), call)
        let taken = try await site(body.serviceID, call)
        guard taken.service.state == "running" else {
            return try await standing(of: name, body.serviceID, nil, paths, call)
        }
        let ended = try await end(of: check(name, taken, call), call)
        if ended.isFinished, ended.state != "succeeded" { throw Problem(ended) }
        return try await standing(of: name, body.serviceID, ended, paths, call)
    }

    private func standing(
        of name: String, _ number: SiteNumber, _ operation: APIModels.Operation?, _ paths: Paths, _ call: APICall
    ) async throws -> Answer {
        let site = try await site(number, call)
        var body = site.json
        let standing = site.domains.standing(of: name)
        body["domain"] = standing.map { .object($0.json) }
        if let operation, !operation.isFinished { body["operation"] = .object(Site.json(operation)) }
        let isActive = standing?.isActive == true
        return .site(body, status: isActive ? 200 : 202, location: isActive ? nil : paths.status(number.text))
    }
}
