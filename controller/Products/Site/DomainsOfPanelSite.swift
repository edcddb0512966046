import ControllerCore
import Model
import ProductKit
import Saga
import Store
import WireProtocol

/// A domain of a customer's own, as steps hand it on: it and its `www`.
struct PanelName: StepOutput, Hashable {
    typealias State = DomainRecord.State

    var name: String
    /// What the proof must hold.
    var token: String
    var state: State
    /// Where it stands: what is missing for the next state.
    var reason: String
    /// Whether the server answered for it before.
    var isServed: Bool

    init(_ record: DomainRecord) {
        (name, token, state) = (record.name, record.token, record.state)
        (reason, isServed) = (record.reason, record.isServed)
    }

    init(json: JSONValue) throws {
        let object = json.asObject ?? [:]
        (name, token) = (try object.string("domain"), try object.string("token"))
        state = State(rawValue: try object.string("state")) ?? .awaitingProof
        (reason, isServed) = (try object.string("reason"), try object.bool("served"))
    }

    var json: JSONValue {
        [
            "domain": .string(name), "token": .string(token), "state": .string(state.rawValue),
            "reason": .string(reason), "served": .bool(isServed),
        ]
    }

    var names: [String] { DomainRecord.names(name) }

    func at(_ state: State, _ reason: String) -> PanelName {
        var domain = self
        (domain.state, domain.reason) = (state, reason)
        return domain
    }
}

extension CloudSite {
    static let domains = DomainOffer(
        quota: { $0["domains"]?.asInteger ?? 0 }, zones: { _ in [] },
        addresses: { service, ports throws(PortError) in
            for known in [service.spec["addresses"], service.address["addresses"]] {
                let addresses = known?.asArray?.compactMap(\.asString) ?? []
                if !addresses.isEmpty { return addresses }
            }
            // Where nobody has said it, the site's own domain tells.
            guard let domain = service.address["domain"]?.asString else { return [] }
            return try await ports.resolver.look(domain, .a) + ports.resolver.look(domain, .aaaa)
        }, check: CheckName.verb, remove: RemoveName.verb)
}

extension PanelScope {
    var wantedDomain: String { operation.parameters["domain"]?.asString ?? "" }

    /// The service's own, by name.
    func names() async throws(StepFailure) -> [PanelName] {
        let id = service.id
        return try await locally { store throws(StoreError) in
            .success(try store.domains(service: id).map { PanelName($0) })
        }
    }

    /// Those for which the server answers beside the site's own.
    func servedNames() async throws(StepFailure) -> [String] {
        try await names().filter(\.isServed).flatMap(\.names).sorted()
    }

    /// The one that the operation is about.
    func heldName() async throws(StepFailure) -> PanelName {
        let name = wantedDomain
        guard let found = try await names().first(where: { $0.name == name }) else {
            throw .refused("not_found", "the service has no domain \(name)")
        }
        return found
    }

    /// Lets the server answer for these names beside the site's own, and for no others.
    func serve(_ names: [String], _ place: PanelPlace, _ call: StepCall) async throws(StepFailure) {
        _ = try await order("site.aliases", place, ["names": .array(names.map { .string($0) })], call)
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

/// Looks where a domain stands, and takes it as far as it goes: proven by its TXT record, led to the server, answered for with a
/// certificate. What is not so yet is no failure; the reason says what is missing. Parameter `domain`.
enum CheckName {
    static let verb = Verb("check-domain", from: [.running])
    static let saga = SagaDefinition<PanelScope>(
        kind: verb.name, deadline: .seconds(4 * 3600),
        steps: PanelSteps.opening() + [
            SagaStep(proof, act: prove),
            SagaStep(routed, act: lookAtRoute),
            SagaStep(
                served, retry: ProvisionPanelSite.persistent, deadline: PanelScope.patience, act: serve, undo: withdraw),
            SagaStep(active, deadline: PanelScope.patience, act: certify),
        ])

    static let proof = StepKey<PanelName>("proof")
    static let routed = StepKey<PanelName>("routed")
    static let served = StepKey<PanelName>("served")
    static let active = StepKey<PanelName>("active")

    /// A domain that was proven once stays so only as long as the record stands.
    private static func prove(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) -> PanelName {
        let domain = try await scope.heldName()
        let (record, value) = (DomainRecord.proofName(domain.name), DomainRecord.proofValue(domain.token))
        guard try await scope.look(record, .txt).contains(value) else {
            return domain.at(.awaitingProof, "there is no TXT record \(record) with \(value) yet")
        }
        return domain.at(.proven, "")
    }

    private static func lookAtRoute(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) -> PanelName {
        let domain = try call.output(proof)
        guard domain.state == .proven else { return domain }
        let ours: [String]
        do throws(PortError) {
            ours = try await CloudSite.domains.addresses(scope.service, scope.dependencies.ports)
        } catch {
            throw StepFailure(.retryable, code: error.kind.rawValue, message: error.message, effect: .none)
        }
        for name in domain.names {
            let found = try await scope.look(name, .a) + scope.look(name, .aaaa)
            let goal = ours.sorted().joined(separator: ", ")
            guard !found.isEmpty else {
                return domain.at(.proven, "\(name) leads nowhere yet: it should lead to \(goal)")
            }
            if let other = found.first(where: { !ours.contains($0) }) {
                return domain.at(.proven, "\(name) leads to \(other.prefix(45)), and should lead to \(goal)")
            }
        }
        return domain.at(.routed, "")
    }

    private static func serve(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) -> PanelName {
        let domain = try call.output(routed)
        guard domain.state == .routed else { return domain }
        let all = try await scope.servedNames() + domain.names
        try await scope.serve(Set(all).sorted(), call.output(PanelSteps.place), call)
        return domain.at(.certified, "there is no certificate for it yet")
    }

    /// One that was served before stays served.
    private static func withdraw(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) {
        guard try call.output(routed).state == .routed, try await !scope.heldName().isServed else { return }
        try await scope.serve(scope.servedNames(), call.output(PanelSteps.place), call)
    }

    /// Proven to the authority by what the server answers under it: whoever has the certificate is seen there.
    private static func certify(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) -> PanelName {
        let domain = try call.output(served)
        guard domain.state == .certified else { return domain }
        let all = try await scope.servedNames() + domain.names
        let wish = try await scope.certify(call.output(PanelSteps.place), Set(all).sorted(), call)
        return wish.state == .wanted ? domain.at(.certified, wish.reason) : domain.at(.active, "")
    }

    static let settle: ProductVerb.Settlement = { store, operation, outputs, time throws(StoreError) in
        guard let id = operation.service, let seen = outputs[active.name].flatMap({ try? PanelName(json: $0) })
        else { return }
        try store.note(domain: seen.name, of: id, seen.state, reason: seen.reason, zone: nil, at: time)
    }

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
            return ["domain": .string(name)]
        })
}

/// Gives a domain up: the server answers for it no more, then it is free. Parameter `domain`.
enum RemoveName {
    static let verb = Verb("remove-domain", from: [.running])
    static let saga = SagaDefinition<PanelScope>(
        kind: verb.name, direction: .forward, deadline: .seconds(4 * 3600),
        steps: PanelSteps.opening() + [
            SagaStep(route, retry: ProvisionPanelSite.persistent, deadline: PanelScope.patience, act: withdraw),
            // The panel renews a certificate with all its names: one that leads elsewhere would keep it from that.
            SagaStep(certificate, weight: .auxiliary, deadline: PanelScope.patience, act: certify),
            SagaStep(release, act: giveBack),
        ])

    static let route = StepKey<NoOutput>("route")
    static let certificate = StepKey<NoOutput>("certificate")
    static let release = StepKey<NoOutput>("release")

    private static func rest(_ scope: PanelScope) async throws(StepFailure) -> [String] {
        let gone = try await scope.heldName()
        return try await scope.names().filter { $0.isServed && $0.name != gone.name }.flatMap(\.names).sorted()
    }

    private static func withdraw(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        guard try await scope.heldName().isServed else { return NoOutput() }
        try await scope.serve(rest(scope), call.output(PanelSteps.place), call)
        return NoOutput()
    }

    private static func certify(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        guard try await scope.heldName().isServed, scope.spec.wantsCertificate else { return NoOutput() }
        let names = try await rest(scope)
        _ = try await scope.order(
            "certificate.order", call.output(PanelSteps.place),
            ["names": .array(names.map { .string($0) }), "force": true], call)
        return NoOutput()
    }

    private static func giveBack(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        let (id, name, now) = (scope.service.id, scope.wantedDomain, scope.dependencies.clock.now())
        return try await scope.locally { store throws(StoreError) in
            try store.giveBack(domain: name, of: id, at: now)
            return .success(NoOutput())
        }
    }
}
