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
        guard let name = SiteDomains.normal(body.domain) else {
            throw Problem(.invalidField, "domain must be a domain, such as example.org", field: "domain")
        }
        let present = try await site(body.serviceID, call)
        if let work = try await takeUp(body.domain, present, call) {
            let ended = try await end(of: work, call)
            guard ended.isFinished else { return try await standing(of: name, body.serviceID, ended, paths, call) }
            if ended.state != "succeeded" { throw Self.refusal(ended, name) }
        }
        let taken = try await site(body.serviceID, call)
        guard taken.service.state == "running" else {
            return try await standing(of: name, body.serviceID, nil, paths, call)
        }
        let ended = try await end(of: check(body.domain, taken, call), call)
        if ended.isFinished, ended.state != "succeeded" { throw Self.refusal(ended, name) }
        return try await standing(of: name, body.serviceID, ended, paths, call)
    }

    private func standing(
        of name: String, _ number: SiteNumber, _ operation: APIModels.Operation?, _ paths: Paths, _ call: APICall
    ) async throws -> Answer {
        let site = try await site(number, call)
        var body = site.json
        let standing = SiteDomains(site.facts).standing(of: name)
        body["domain"] = standing.map { .object($0.json) }
        if let operation, !operation.isFinished { body["operation"] = .object(Site.json(operation)) }
        let isActive = standing?.isActive == true
        return .site(body, status: isActive ? 200 : 202, location: isActive ? nil : paths.status(number.text))
    }

    /// The same words for whoever asks: what is so of a domain is no secret of the fleet's, and whose it is is told to nobody.
    private static func refusal(_ operation: APIModels.Operation, _ name: String) -> Problem {
        switch operation.error?.code {
        case "quota": Problem(.conflict, "the plan allows no further domain", field: "domain")
        case "conflict", "in_use": Problem(.conflict, "\(name) is in use already", field: "domain")
        case "invalid": Problem(.invalidField, "\(name) is not a domain of the customer's own", field: "domain")
        default: Problem(operation)
        }
    }
}
