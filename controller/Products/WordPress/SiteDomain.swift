import ControllerCore
import Model
import Saga
import Store
import WireProtocol

/// A domain of a customer's own: it and its `www`.
struct SiteDomain: StepOutput, Hashable {
    enum State: String, Sendable, Hashable, CaseIterable {
        case awaitingProof = "awaiting_proof"
        case proven, routed, certified, active
    }

    /// In lower case, as punycode, without `www`.
    var name: String
    /// What the proof must hold.
    var token: String
    var state: State
    /// Where it stands: what is missing for the next state.
    var reason: String
    /// The integration at which this service has made a zone for it.
    var zone: String?

    init(name: String, token: String, state: State, reason: String, zone: String? = nil) {
        (self.name, self.token, self.state, self.reason, self.zone) = (name, token, state, reason, zone)
    }

    init(json: JSONValue) throws {
        let object = json.asObject ?? [:]
        (name, token) = (try object.string("domain"), try object.string("token"))
        state = State(rawValue: try object.string("state")) ?? .awaitingProof
        (reason, zone) = (try object.string("reason"), try object.optionalString("zone"))
    }

    var json: JSONValue {
        var json: JSONObject = [
            "domain": .string(name), "token": .string(token), "state": .string(state.rawValue),
            "reason": .string(reason), "record": .string(record), "value": .string(value),
        ]
        json["zone"] = zone.map { .string($0) }
        return .object(json)
    }

    var names: [String] { [name, "www.\(name)"] }
    /// The TXT record that proves whose it is.
    var record: String { "_innkeeper.\(name)" }
    var value: String { "innkeeper-verification=\(token)" }
    var url: String { "https://\(name)" }

    func at(_ state: State, _ reason: String) -> SiteDomain {
        SiteDomain(name: name, token: token, state: state, reason: reason, zone: zone)
    }
}

extension SiteDomain {
    static let parameters = VerbParameters(
        schema: [
            "type": "object", "additionalProperties": false, "required": ["domain"],
            "properties": [
                "domain": ["type": "string", "description": "A domain of the customer's own; its www comes along."]
            ],
        ],
        read: { fields throws(CoreError) in
            guard let text = fields["domain"]?.asString, let name = normal(text) else {
                throw .invalid(field: "parameters.domain", problem: "must be a domain, such as example.org")
            }
            guard !PublicSuffix.contains(name) else {
                throw .invalid(field: "parameters.domain", problem: "is nobody's own: many register below it")
            }
            return ["domain": .string(name)]
        })

    /// Apex and `www` are one.
    static func normal(_ text: String) -> String? {
        guard var name = DomainText.ascii(text) else { return nil }
        if name.hasPrefix("www."), name.split(separator: ".").count > 2 { name.removeFirst(4) }
        return Grammar.domainName.accepts(name) && name.utf8.count <= 240 ? name : nil
    }

    /// As a service has them.
    static func all(of service: ServiceRecord) -> [SiteDomain] {
        (service.observed["domains"]?.asObject ?? [:]).members.compactMap { try? SiteDomain(json: $0.value) }
            .sorted { $0.name < $1.name }
    }
}

extension ServiceRecord {
    mutating func note(_ domain: SiteDomain) {
        var domains = observed["domains"]?.asObject ?? [:]
        domains[domain.name] = domain.json
        observed["domains"] = .object(domains)
    }

    mutating func forget(domain name: String) {
        var domains = observed["domains"]?.asObject ?? [:]
        domains[name] = nil
        observed["domains"] = domains.isEmpty ? nil : .object(domains)
    }
}

extension SiteScope {
    var heldDomains: [SiteDomain] { SiteDomain.all(of: service) }
    var wantedDomain: String { operation.parameters["domain"]?.asString ?? "" }

    func heldDomain() throws(StepFailure) -> SiteDomain {
        if let domain = heldDomains.first(where: { $0.name == wantedDomain }) { return domain }
        throw .refused("not_found", "the service has no domain \(wantedDomain)")
    }

    /// Takes away what leads the domain to the site. Its zone stays with the customer's own name servers.
    func withdraw(_ domain: SiteDomain, _ site: SiteName) async throws(StepFailure) {
        try await removeRoute(site, of: domain.names)
        try await removeZone(of: domain)
    }

    /// Why one of the names does not lead to the proxy, and to it alone; nil when all do.
    /// - Parameter ours: the addresses of the proxy.
    func objectionToRoute(of names: [String], at ours: [String]) async throws(StepFailure) -> String? {
        for name in names {
            let found = try await look(name, .a) + look(name, .aaaa)
            guard !found.isEmpty else {
                return "\(name) leads nowhere yet: it should lead to \(ours.sorted().joined(separator: ", "))"
            }
            if let other = found.first(where: { !ours.contains($0) }) {
                return "\(name) leads to \(other.prefix(45)), which is not the proxy"
            }
        }
        return nil
    }

    func look(_ name: String, _ type: ResolverPort.RecordType) async throws(StepFailure) -> [String] {
        do throws(PortError) { return try await dependencies.ports.resolver.look(name, type) } catch {
            // A question does nothing: it is asked again.
            throw StepFailure(
                error.kind == .notSetUp ? .final : .retryable, code: error.kind.rawValue, message: error.message,
                resource: name, effect: .none)
        }
    }
}
