import ControllerCore
import Model
import Placement
import ProductKit
import Saga
import Store
import WireProtocol

/// Makes a site: a place on a node with a number and an address, a name, a container, its HA, records, a route with its certificate,
/// WordPress in it, a first snapshot; and at last asks the name for the page.
enum ProvisionSite {
    static let saga = SagaDefinition<SiteScope>(
        kind: Verb.provision.name, deadline: .seconds(5400), unwindAllowance: .seconds(1800),
        steps: [
            // Patient enough for nodes to come back after the controller has started.
            SagaStep(
                place, retry: RetryPolicy(attempts: 6, first: .seconds(2), most: .seconds(20)), places: true,
                act: choose, undo: release),
            SagaStep(card, act: attach),
            SagaStep(name, act: chooseName),
            SagaStep(password, act: makePassword),
            SagaStep(guest, deadline: .seconds(900), act: create, undo: destroy),
            SagaStep(ha, act: joinHA),
            SagaStep(record, act: makeRecords, undo: removeRecords),
            SagaStep(route, deadline: .seconds(1200), act: makeRoute, undo: removeRoute),
            SagaStep(start, deadline: .seconds(180), act: startGuest),
            SagaStep(recipe, deadline: .seconds(3000), act: setUp),
            SagaStep(snapshot, weight: .auxiliary, deadline: .seconds(300), act: takeSnapshot),
            // Resolvers may have to forget that there was no such name.
            SagaStep(page, retry: RetryPolicy(attempts: 20, first: .seconds(2), most: .seconds(30)), act: askForPage),
        ])

    static let place = StepKey<SitePlace>("place")
    static let card = StepKey<SiteCard>("card")
    static let name = StepKey<SiteName>("name")
    static let password = StepKey<Observation>("password")
    static let guest = StepKey<FoundGuest>("guest")
    static let ha = StepKey<Observation>("ha")
    static let record = StepKey<NoOutput>("record")
    static let route = StepKey<NoOutput>("route")
    static let start = StepKey<NoOutput>("start")
    static let recipe = StepKey<Observation>("recipe")
    static let snapshot = StepKey<Observation>("snapshot")
    static let page = StepKey<NoOutput>("page")

    // MARK: place

    private static func choose(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> SitePlace {
        guard let email = scope.spec.email else {
            throw .refused("invalid", "a site needs the e-mail address of its customer (overrides.email)")
        }
        let (random, origin) = (scope.dependencies.ports.random, Restoring(scope.operation))
        let suffixes = (0..<16).map { _ in random.word(4) }
        var only: Set<String>?
        if let origin { only = try await scope.nodes(of: origin, call) }
        let wanted = PlacementSpec(
            needs: origin == nil ? WordPress.placement : WordPress.placementOfCopies,
            held: { store throws(StoreError) in try store.site(of: scope.service.id) },
            only: only,
            take: { store, choice, time throws(StoreError) in
                try store.take(choice, for: scope, email, suffixes, at: time)
            })
        return try await scope.choosePlace(wanted, call)
    }

    private static func release(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) {
        try await scope.release()
    }

    /// What was taken with the place, or is taken now.
    private static func attach(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> SiteCard {
        let (place, now, network) = (try call.output(place), scope.dependencies.clock.now(), scope.spec.network)
        let taking = Taking(service: scope.service.id, node: place.node, operation: scope.operation.id)
        let card = try await scope.locally { store throws(StoreError) in
            .success(SiteCard(try store.attach(to: network, taking, at: now)))
        }
        guard card.target != nil else {
            throw .refused("no_address", "network \(network) gives no addresses, and the proxy has to know one")
        }
        return card
    }

    // MARK: name

    /// A name that somebody else has a record or a route for is believed to be theirs: another one is taken.
    private static func chooseName(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> SiteName {
        guard let email = scope.spec.email else {
            throw .refused("invalid", "the customer's e-mail address is missing")
        }
        let (service, operation, zone) = (scope.service.id, scope.operation.id, scope.spec.zone)
        for _ in 0..<tries {
            var site = try await scope.name(of: scope.place().host)
            if try await !scope.isTaken(site) {
                for integration in [site.dns, site.proxy] { try await scope.use(integration: integration) }
                site.wasFree = true
                return site
            }
            scope.note(call, "\(site.host) is somebody else's already: another name is taken")
            let (now, random) = (scope.dependencies.clock.now(), scope.dependencies.ports.random)
            let candidates = Subdomain.candidates(email: email, suffixes: (0..<16).map { _ in random.word(4) })
            try await scope.locally { store throws(StoreError) -> Result<Void, StepFailure> in
                try store.disownSubdomain(of: service, because: "there is a record or a route of this name", at: now)
                _ = try store.takeSubdomain(of: zone, candidates, for: service, operation: operation, at: now)
                return .success(())
            }
        }
        throw .refused("no_name", "every name that was tried below \(zone) is somebody else's")
    }

    static let tries = 10

    private static func makePassword(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> Observation {
        Observation(["administrator": .string(scope.dependencies.ports.random.word(24))])
    }

    // MARK: names outside

    private static func joinHA(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> Observation {
        let isIn = try await scope.joinHA(call.output(guest), storage: call.output(place).storage, call)
        return Observation(["ha": .bool(isIn)])
    }

    private static func makeRecords(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        try await scope.makeRecords(of: call.output(name))
        return NoOutput()
    }

    private static func removeRecords(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) {
        try await scope.removeRecords(of: call.output(name))
    }

    private static func makeRoute(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        try await scope.makeRoute(call.output(name), of: [call.output(name).host], to: call.output(card).target ?? "")
        return NoOutput()
    }

    private static func removeRoute(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) {
        try await scope.removeRoute(call.output(name), of: [call.output(name).host])
    }

    // MARK: the site

    private static func startGuest(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        _ = try await scope.order("container.start", call.output(guest), call)
        return NoOutput()
    }

    private static func setUp(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> Observation {
        let (host, found) = (try call.output(name).host, try call.output(guest))
        let url = "https://\(host)"
        guard Restoring(scope.operation) == nil else {
            // Who administers it is in the backup; where it is reached is not.
            let seen = try await scope.setUp(found, url: url, title: host, password: nil, call)
            try await scope.setAddress(found, to: url, call.part("address"))
            return Observation(seen)
        }
        let password = try call.output(password).object["administrator"]?.asString
        return Observation(try await scope.setUp(found, url: url, title: host, password: password, call))
    }

    private static func takeSnapshot(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> Observation {
        let name = JSONValue.string(scope.spec.snapshot)
        return Observation(try await scope.order("snapshot.ensure", call.output(guest), ["snapshot": name], call))
    }

    private static func askForPage(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        let site = try call.output(name)
        try await scope.checkPage(of: site, home: site.url)
        return NoOutput()
    }

    // MARK: conclusion

    @Sendable static func conclude(
        _ service: inout ServiceRecord, _ operation: OperationRecord, outputs: [String: JSONValue]
    ) {
        guard let host = outputs[name.name]?["host"], let found = outputs[guest.name] else { return }
        var address: JSONObject = ["host": host]
        address["url"] = host.asString.map { .string("https://\($0)") }
        (address["vmid"], address["nonce"]) = (found["vmid"], found["nonce"])
        (address["dns"], address["proxy"]) = (outputs[name.name]?["dns"], outputs[name.name]?["proxy"])
        address["storage"] = outputs[place.name]?["storage"]
        address["addresses"] = outputs[card.name]?["addresses"]
        address["target"] = outputs[card.name].flatMap { try? SiteCard(json: $0).target }.map { .string($0) }
        service.address = address
        service.observed = ["wordpress": outputs[recipe.name]?["returned"] ?? .null]
        service.observed["ha"] = outputs[ha.name]?["ha"]
        service.observed["snapshots"] =
            outputs[snapshot.name].map { _ in [.string(service.spec["snapshot"]?.asString ?? "initial")] }
    }
}

extension Store {
    /// Reservation, number, address, card and name, in the transaction that chose the node.
    fileprivate func take(
        _ choice: PlacementResult.Choice, for scope: SiteScope, _ email: String, _ suffixes: [String],
        at time: Timestamp
    ) throws(StoreError) -> SitePlace {
        let (service, spec) = (scope.service, scope.spec)
        let resources = spec.resources
        try reserve(
            Reservation(
                service: service.id, node: choice.node, pool: choice.pool, cpuMillis: resources.cpuMillis,
                memoryBytes: resources.memoryBytes, diskBytes: resources.diskBytes, createdAt: service.createdAt))
        let taking = Taking(service: service.id, node: choice.node, operation: scope.operation.id)
        _ = try takeVMID(taking, among: scope.dependencies.allocation.vmids, at: time)
        _ = try attach(to: spec.network, taking, at: time)
        _ = try takeSubdomain(
            of: spec.zone, Subdomain.candidates(email: email, suffixes: suffixes), for: service.id,
            operation: scope.operation.id, at: time)
        guard let place = try site(of: service.id) else {
            throw .corrupt("what was taken for service \(service.id) makes no place")
        }
        return place
    }
}
