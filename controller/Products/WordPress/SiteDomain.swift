import ControllerCore
import Model
import Saga
import Store
import WireProtocol

/// A domain of a customer's own, as steps hand it on: it and its `www`.
struct SiteDomain: StepOutput, Hashable {
    typealias State = DomainRecord.State

    /// In lower case, as punycode, without `www`.
    var name: String
    /// What the proof must hold.
    var token: String
    var state: State
    /// Where it stands: what is missing for the next state.
    var reason: String
    /// The integration at which this service has made a zone for it.
    var zone: String?
    /// Whether what serves it was made by an earlier check.
    var isServed: Bool

    init(_ record: DomainRecord) {
        (name, token, state) = (record.name, record.token, record.state)
        (reason, zone, isServed) = (record.reason, record.zone, record.isServed)
    }

    init(json: JSONValue) throws {
        let object = json.asObject ?? [:]
        (name, token) = (try object.string("domain"), try object.string("token"))
        state = State(rawValue: try object.string("state")) ?? .awaitingProof
        (reason, zone) = (try object.string("reason"), try object.optionalString("zone"))
        isServed = try object.optionalBool("served") ?? (state >= .certified)
    }

    var json: JSONValue {
        var json: JSONObject = [
            "domain": .string(name), "token": .string(token), "state": .string(state.rawValue),
            "reason": .string(reason), "served": .bool(isServed),
        ]
        json["zone"] = zone.map { .string($0) }
        return .object(json)
    }

    var names: [String] { DomainRecord.names(name) }
    /// The TXT record that proves whose it is.
    var record: String { DomainRecord.proofName(name) }
    var value: String { DomainRecord.proofValue(token) }
    var url: String { "https://\(name)" }

    func at(_ state: State, _ reason: String) -> SiteDomain {
        var domain = self
        (domain.state, domain.reason) = (state, reason)
        return domain
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
            guard let text = fields["domain"]?.asString, let name = DomainRecord.normal(text) else {
                throw .invalid(field: "parameters.domain", problem: "must be a domain, such as example.org")
            }
            guard !PublicSuffixes.builtIn.contains(name) else {
                throw .invalid(field: "parameters.domain", problem: "is nobody's own: many register below it")
            }
            return ["domain": .string(name)]
        })
}

extension WordPress {
    static let domains = DomainOffer(
        quota: { $0["domains"]?.asInteger ?? 0 }, zones: { $0["zone"]?.asString.map { [$0] } ?? [] },
        addresses: { service, ports throws(PortError) in
            let own = service.spec["addresses"]?.asArray?.compactMap(\.asString) ?? []
            guard own.isEmpty, let proxy = service.address["proxy"]?.asString else { return own }
            return try await ports.integrations.proxy(proxy).addresses
        }, check: CheckDomain.verb, remove: RemoveDomain.verb)
}

extension SiteScope {
    var wantedDomain: String { operation.parameters["domain"]?.asString ?? "" }

    /// The service's own, by name.
    func domains() async throws(StepFailure) -> [SiteDomain] {
        let id = service.id
        return try await locally { store throws(StoreError) in
            .success(try store.domains(service: id).map { SiteDomain($0) })
        }
    }

    /// The one that the operation is about.
    func heldDomain() async throws(StepFailure) -> SiteDomain {
        let (id, name) = (service.id, wantedDomain)
        return try await locally { store throws(StoreError) in
            guard let domain = try store.domain(name, service: id) else {
                return .failure(.refused("not_found", "the service has no domain \(name)"))
            }
            return .success(SiteDomain(domain))
        }
    }

    /// From here on nobody else can have the domain. Nil when it is so.
    func claim(_ domain: String) async throws(StepFailure) -> DomainRefusal? {
        let (id, operation, now) = (service.id, operation.id, dependencies.clock.now())
        return try await locally { store throws(StoreError) in
            switch try store.claim(domain: domain, for: id, operation: operation, at: now) {
            case .success: .success(nil)
            case .failure(let refusal): .success(refusal)
            }
        }
    }

    /// Takes away what leads the domain to the site. Its zone stays with the customer's own name servers.
    func withdraw(_ domain: SiteDomain, _ site: SiteName) async throws(StepFailure) {
        // Where another site was first, what serves the name is that one's.
        if case .taken = try await claim(domain.name) { return }
        try await removeRoute(site, of: domain.names)
        try await removeZone(of: domain)
    }

    /// Why one of the names does not lead to the proxy, and to it alone; nil when all do.
    /// - Parameter ours: the addresses of the proxy.
    func objectionToRoute(of names: [String], at ours: [String]) async throws(StepFailure) -> String? {
        var found: [String: [String]] = [:]
        for name in names { found[name] = try await look(name, .a) + look(name, .aaaa) }
        return DomainSight.objection(to: found, of: names, ours: ours)
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
