import ControllerCore
import Model
import ProductKit
import Saga
import Store
import WireProtocol

/// Takes up a domain of the customer's own. Nothing is done for it before it is proven, and others may be first.
/// Parameter `domain`.
enum AddDomain {
    static let verb = Verb("add-domain", from: [.running, .suspended])
    static let saga = SagaDefinition<SiteScope>(
        kind: verb.name,
        steps: [
            SagaStep(
                SiteSteps.place, places: true, act: { scope, _ throws(StepFailure) in try await scope.place() }),
            SagaStep(token, act: makeToken),
            SagaStep(domain, act: take, undo: giveBack),
        ])

    static let token = StepKey<Observation>("token")
    static let domain = StepKey<SiteDomain>("domain")

    private static func makeToken(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> Observation {
        Observation(["token": .string(scope.dependencies.ports.random.word(32))])
    }

    private static func take(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> SiteDomain {
        let (name, service, operation) = (scope.wantedDomain, scope.service, scope.operation.id)
        let (suffixes, now) = (scope.dependencies.suffixes, scope.dependencies.clock.now())
        let token = try call.output(token).object["token"]?.asString ?? ""
        return try await scope.locally { store throws(StoreError) in
            switch try store.take(
                domain: name, for: service, WordPress.domains, suffixes, token: token, operation: operation, at: now)
            {
            case .failure(let refusal): return .failure(.refused(refusal.code, refusal.sentence))
            case .success(let taken):
                // What is there already and not of this very operation was there before it.
                guard taken.record.operation == operation else {
                    return .failure(.refused("conflict", "the site has the domain \(name) already"))
                }
                return .success(SiteDomain(taken.record))
            }
        }
    }

    private static func giveBack(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) {
        let (id, operation, name) = (scope.service.id, scope.operation.id, scope.wantedDomain)
        let now = scope.dependencies.clock.now()
        try await scope.locally { store throws(StoreError) -> Result<Void, StepFailure> in
            guard try store.domain(name, service: id)?.operation == operation else { return .success(()) }
            return .success(try store.giveBack(domain: name, of: id, at: now))
        }
    }

    /// One that a version before has taken has its allocation, and not yet its row.
    static let settle: ProductVerb.Settlement = { store, operation, outputs, time throws(StoreError) in
        guard let id = operation.service, let made = outputs[domain.name].flatMap({ try? SiteDomain(json: $0) }),
            try store.domain(made.name, service: id) == nil
        else { return }
        try store.insertDomain(
            DomainRecord(
                service: id, name: made.name, token: made.token, reason: made.reason, operation: operation.id,
                addedAt: time))
    }
}

/// Looks where a domain stands, and takes it as far as it goes: proven by its TXT record, led to the proxy by all its addresses, served
/// with a certificate, and at last shown by the site itself. What is not so yet is no failure; the reason says what is missing.
/// Parameter `domain`.
enum CheckDomain {
    static let verb = Verb("check-domain", from: [.running])
    static let saga = SagaDefinition<SiteScope>(
        kind: verb.name, deadline: .seconds(3600),
        steps: SiteSteps.opening() + [
            SagaStep(proof, act: prove, undo: unclaim),
            SagaStep(free, weight: .auxiliary, act: lookForZone),
            SagaStep(zone, weight: .auxiliary, act: makeZone, undo: removeZone),
            SagaStep(routed, act: lookAtRoute),
            SagaStep(certified, deadline: .seconds(1200), act: serve, undo: withdraw),
            SagaStep(address, deadline: .seconds(300), act: setAddress, undo: putAddressBack),
            SagaStep(active, act: lookAtPage),
        ])

    static let proof = StepKey<SiteDomain>("proof")
    /// The integration that is to make a zone, where there is none of the domain.
    static let free = StepKey<Observation>("free")
    static let zone = StepKey<Observation>("zone")
    static let routed = StepKey<SiteDomain>("routed")
    static let certified = StepKey<SiteDomain>("certified")
    /// The site's address from then on.
    static let address = StepKey<Observation>("address")
    static let active = StepKey<SiteDomain>("active")

    /// A domain that was proven once stays so only as long as the record stands. With the proof it becomes the site's own.
    private static func prove(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> SiteDomain {
        let domain = try await scope.heldDomain()
        let found = try await scope.look(domain.record, .txt)
        guard found.contains(domain.value) else {
            return domain.at(.awaitingProof, "there is no TXT record \(domain.record) with \(domain.value) yet")
        }
        if let refusal = try await scope.claim(domain.name) {
            throw .refused(refusal.code, refusal.sentence, domain.name)
        }
        return domain.at(.proven, "")
    }

    private static func unclaim(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) {
        let (id, operation, name) = (scope.service.id, scope.operation.id, scope.wantedDomain)
        let now = scope.dependencies.clock.now()
        try await scope.locally { store throws(StoreError) -> Result<Void, StepFailure> in
            .success(try store.unclaim(domain: name, of: id, operation: operation, at: now))
        }
    }

    private static func lookForZone(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> Observation {
        let domain = try call.output(proof)
        guard domain.state == .proven, domain.zone == nil, let name = try await scope.zoneKeeper(),
            try await scope.isZoneFree(domain.name, at: name)
        else { return Observation([:]) }
        try await scope.use(integration: name)
        return Observation(["zones": .string(name)])
    }

    /// At our name servers; whether the domain is delegated to them is the customer's choice.
    private static func makeZone(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> Observation {
        let (domain, looked) = (try call.output(proof), call.found(free) ?? Observation([:]))
        guard let name = domain.zone ?? looked.object["zones"]?.asString, domain.state == .proven else {
            return Observation([:])
        }
        try await scope.makeZone(of: domain.name, at: name, wasFree: true)
        return Observation(["zones": .string(name)])
    }

    /// One that was there before this operation stays.
    private static func removeZone(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) {
        guard let name = call.found(free)?.object["zones"]?.asString else { return }
        var domain = try await scope.heldDomain()
        domain.zone = name
        try await scope.removeZone(of: domain)
    }

    private static func lookAtRoute(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> SiteDomain {
        let domain = try call.output(proof)
        guard domain.state == .proven else { return domain }
        let site = try await scope.name(of: call.output(SiteSteps.place).host)
        let addresses = try await scope.publicAddresses(site)
        if let reason = try await scope.objectionToRoute(of: domain.names, at: addresses) {
            return domain.at(.proven, reason)
        }
        return domain.at(.routed, "")
    }

    private static func serve(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> SiteDomain {
        let domain = try call.output(routed)
        guard domain.state == .routed else { return domain }
        let site = try await scope.name(of: call.output(SiteSteps.place).host)
        try await scope.makeRoute(site, of: domain.names, to: scope.target())
        return domain.at(.certified, "the site has not shown itself under it yet")
    }

    private static func withdraw(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) {
        let before = try await scope.heldDomain()
        // One that was served before stays served, and what never came so far may be another's.
        guard !before.isServed, try call.output(routed).state == .routed else { return }
        let site = try await scope.name(of: call.output(SiteSteps.place).host)
        try await scope.removeRoute(site, of: before.names)
    }

    /// The first domain that is served becomes the site's address; visitors of its other names are sent there.
    private static func setAddress(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> Observation {
        let (domain, place) = (try call.output(certified), try call.output(SiteSteps.place))
        let present = scope.primaryURL(place)
        guard domain.state == .certified, present == place.url else { return Observation(["url": .string(present)]) }
        try await scope.setAddress(call.output(SiteSteps.guest), to: domain.url, call)
        return Observation(["url": .string(domain.url)])
    }

    private static func putAddressBack(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) {
        let (domain, place) = (try call.output(certified), try call.output(SiteSteps.place))
        let present = scope.primaryURL(place)
        guard domain.state == .certified, present == place.url else { return }
        try await scope.setAddress(call.output(SiteSteps.guest), to: present, call)
    }

    private static func lookAtPage(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> SiteDomain {
        let domain = try call.output(certified)
        guard domain.state == .certified else { return domain }
        let home = try call.output(address).object["url"]?.asString ?? domain.url
        var site = try await scope.name(of: call.output(SiteSteps.place).host)
        site.host = domain.name
        do throws(StepFailure) { try await scope.checkPage(of: site, home: home) } catch {
            // One that does not answer once may answer the next time; what is so in the end is where the domain stands.
            guard error.kind == .retryable, call.attempt >= RetryPolicy.standard.attempts else { throw error }
            return domain.at(.certified, error.message)
        }
        return domain.at(.active, "")
    }

    @Sendable static func conclude(
        _ service: inout ServiceRecord, _ operation: OperationRecord, outputs: [String: JSONValue]
    ) {
        if let url = outputs[address.name]?["url"] { service.address["url"] = url }
    }
}

extension CheckDomain {
    static let settle: ProductVerb.Settlement = { store, operation, outputs, time throws(StoreError) in
        guard let id = operation.service, let seen = outputs[active.name].flatMap({ try? SiteDomain(json: $0) })
        else { return }
        try store.note(
            domain: seen.name, of: id, seen.state, reason: seen.reason,
            zone: outputs[zone.name]?["zones"]?.asString ?? seen.zone, at: time)
    }
}

/// Gives a domain up: the site goes back to its own name where this was its address, then route and zone go, and the domain is free.
/// One that is suspended stays so, and learns its address when it is resumed. Parameter `domain`.
enum RemoveDomain {
    static let verb = Verb("remove-domain", from: [.running, .suspended])
    static let saga = SagaDefinition<SiteScope>(
        kind: verb.name, direction: .forward,
        steps: SiteSteps.opening() + [
            SagaStep(address, deadline: .seconds(300), act: leave),
            SagaStep(route, deadline: .seconds(300), act: withdraw),
            SagaStep(release, act: giveBack),
        ])

    static let address = StepKey<Observation>("address")
    static let route = StepKey<NoOutput>("route")
    static let release = StepKey<NoOutput>("release")

    private static func leave(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> Observation {
        let (domain, place) = (try await scope.heldDomain(), try call.output(SiteSteps.place))
        let present = scope.primaryURL(place)
        guard present == domain.url else { return Observation(["url": .string(present)]) }
        let others = try await scope.domains().filter { $0.name != domain.name && $0.state == .active }
        let next = others.first?.url ?? place.url
        if SiteSteps.isToRun(call) { try await scope.setAddress(call.output(SiteSteps.guest), to: next, call) }
        return Observation(["url": .string(next)])
    }

    private static func withdraw(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        try await scope.withdraw(scope.heldDomain(), scope.name(of: call.output(SiteSteps.place).host))
        return NoOutput()
    }

    private static func giveBack(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        let (id, name, now) = (scope.service.id, scope.wantedDomain, scope.dependencies.clock.now())
        return try await scope.locally { store throws(StoreError) in
            try store.giveBack(domain: name, of: id, at: now)
            return .success(NoOutput())
        }
    }

    @Sendable static func conclude(
        _ service: inout ServiceRecord, _ operation: OperationRecord, outputs: [String: JSONValue]
    ) {
        if let url = outputs[address.name]?["url"] { service.address["url"] = url }
    }
}
