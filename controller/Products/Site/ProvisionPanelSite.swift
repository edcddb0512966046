import ControllerCore
import Model
import Placement
import ProductKit
import Saga
import Store
import WireProtocol

/// Makes a site: a place on a server with an account, the site itself, its certificate, somebody who counts its visits, and reads back
/// what there is. Certificate and counting may come later.
enum ProvisionPanelSite {
    static let saga = SagaDefinition<PanelScope>(
        kind: Verb.provision.name, deadline: .seconds(4 * 3600), unwindAllowance: .seconds(3600),
        steps: [
            // Patient enough for nodes to come back after the controller has started.
            SagaStep(
                PanelSteps.place, retry: RetryPolicy(attempts: 6, first: .seconds(2), most: .seconds(20)), places: true,
                act: choose, undo: release),
            SagaStep(password, act: makePassword),
            SagaStep(found, retry: persistent, deadline: PanelScope.patience, act: look),
            SagaStep(site, retry: persistent, deadline: PanelScope.patience, act: make, undo: remove),
            SagaStep(certificate, weight: .auxiliary, deadline: PanelScope.patience, act: certify),
            SagaStep(analytics, weight: .auxiliary, act: count, undo: uncount),
            SagaStep(seen, retry: persistent, deadline: PanelScope.patience, act: readBack),
        ])

    /// Somebody may be at work in the panel.
    static let persistent = RetryPolicy(attempts: 5, first: .seconds(2), most: .seconds(60))

    static let password = StepKey<Observation>("password")
    /// What was there before; nil for nothing.
    static let found = StepKey<PanelSight?>("found")
    static let site = StepKey<PanelSight>("site")
    static let certificate = StepKey<Wish>("certificate")
    static let analytics = StepKey<Wish>("analytics")
    static let seen = StepKey<PanelSight>("seen")

    // MARK: place

    private static func choose(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) -> PanelPlace {
        guard let domain = scope.spec.domain else {
            throw .refused("invalid", "a site needs its domain (overrides.domain)")
        }
        let (id, random, suffixes) = (scope.service.id, scope.dependencies.ports.random, scope.dependencies.suffixes)
        let objection = try await scope.locally { store throws(StoreError) in
            .success(try store.objection(toSite: domain, of: id, suffixes))
        }
        if let objection { throw .refused("conflict", objection) }
        let users =
            scope.spec.user.map { [$0] }
            ?? SiteUser.candidates(domain, suffixes: (0..<16).map { _ in random.word(4) })
        let wanted = PlacementSpec(
            needs: CloudSite.placement, held: { store throws(StoreError) in try store.panelSite(of: id) },
            take: { store, choice, time throws(StoreError) in
                try store.takePanelSite(domain, users: users, on: choice.node, for: scope, at: time)
            })
        do throws(StepFailure) {
            var place = try await scope.choosePlace(wanted, call)
            place.addresses = await scope.publicAddresses(of: place)
            return place
        } catch {
            guard error.code == "store", error.kind == .final else { throw error }
            throw .refused("conflict", "the domain, the account or the port is another service's: \(error.message)")
        }
    }

    private static func release(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) {
        try await scope.release()
    }

    private static func makePassword(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) -> Observation {
        Observation(["user": .string(scope.dependencies.ports.random.word(24))])
    }

    // MARK: the site

    /// What is there already and not ours is a conflict, unless the order takes it into care.
    private static func look(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) -> PanelSight? {
        let place = try call.output(PanelSteps.place)
        guard let seen = try await scope.show(place, call) else { return nil }
        if seen.owner == scope.service.id { return seen }
        guard seen.owner == nil else {
            throw await scope.foreign(place.resource, as: PanelScope.noun, on: place.node, because: seen.whose, call)
        }
        let there = "the site \(place.domain) is on the server already, with the account \(seen.user.prefix(32))"
        guard scope.spec.adoption == .sameUser else {
            throw .refused("conflict", "\(there), and was not made by Innkeeper", place.resource)
        }
        guard seen.user == scope.spec.user ?? SiteUser.plain(place.domain), seen.user == place.user else {
            throw .refused("conflict", "\(there), and the order means another account", place.resource)
        }
        return seen
    }

    private static func make(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) -> PanelSight {
        if let there = try call.output(found), there.owner == nil {
            return try await adopt(scope, scope.place(), call)
        }
        let secrets: JSONObject = ["site_user_password": try call.output(password).object["user"] ?? .null]
        for _ in 0..<tries {
            // The account may be another one than at first: each has commands of its own.
            let place = try await scope.place()
            let arguments = scope.spec.sort.arguments(port: place.port).merged(with: ["user": .string(place.user)])
            do throws(StepFailure) {
                let seen = PanelSight(
                    try await scope.order("site.add", place, arguments, secrets: secrets, call.part(place.user)))
                // One that came meanwhile, and is as it should be, bears no mark of ours.
                guard seen.owner == scope.service.id else {
                    throw await scope.foreign(
                        place.resource, as: PanelScope.noun, on: place.node, because: seen.whose, call)
                }
                try await scope.keep(seen, place)
                return seen
            } catch {
                guard error.isAccountTaken, scope.spec.user == nil else { throw error }
                try await scope.takeAnother(than: place, because: error.message)
                scope.note(call, "the account \(place.user) is taken: another one is tried")
            }
        }
        throw .refused("no_account", "every account that was tried is somebody else's")
    }

    static let tries = 10

    /// Its nonce tells for ever that it was there before.
    private static func adopt(
        _ scope: PanelScope, _ place: PanelPlace, _ call: StepCall
    ) async throws(StepFailure) -> PanelSight {
        let nonce = "\(PanelSight.adopted)\(scope.operation.id)"
        let seen = PanelSight(try await scope.order("site.mark", place, [:], nonce: nonce, call))
        guard seen.owner == scope.service.id else {
            throw await scope.foreign(place.resource, as: PanelScope.noun, on: place.node, because: seen.whose, call)
        }
        try await scope.keep(seen, place)
        return seen
    }

    /// Also one that nobody has answered for. What was there before stays, and is nobody's again.
    private static func remove(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) {
        guard let place = try await scope.placeIfAny() else { return }
        let seen = try await scope.show(place, call)
        if let seen, seen.owner != scope.service.id { return }
        if seen?.isAdopted == true {
            _ = try await scope.order("site.unmark", place, call)
        } else {
            // Also where the panel knows nothing: of one that died in the middle the node clears the rest.
            _ = try await scope.order("site.delete", place, ["user": .string(place.user)], call)
        }
    }

    // MARK: what can come later

    private static func certify(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) -> Wish {
        try await scope.certify(scope.place(), scope.servedNames(), call)
    }

    private static func count(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) -> Wish {
        try await scope.count(scope.place(), call)
    }

    private static func uncount(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) {
        if let place = try await scope.placeIfAny() { try await scope.uncount(place) }
    }

    private static func readBack(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) -> PanelSight {
        try await scope.site(scope.place(), call)
    }

    // MARK: conclusion

    @Sendable static func conclude(
        _ service: inout ServiceRecord, _ operation: OperationRecord, outputs: [String: JSONValue]
    ) {
        guard let place = outputs[PanelSteps.place.name].flatMap({ try? PanelPlace(json: $0) }),
            let seen = outputs[seen.name].flatMap({ try? PanelSight(json: $0) })
        else { return }
        service.address = [
            "domain": .string(place.domain), "user": .string(seen.user), "doc_root": .string(seen.root),
        ]
        // What was there before has a password of its own.
        if !seen.isAdopted, let password = outputs[password.name]?["user"] {
            service.address["secrets"] = ["user": password]
        }
        service.address["port"] = place.port.map { .integer($0) }
        if !place.addresses.isEmpty { service.address["addresses"] = .array(place.addresses.map { .string($0) }) }
        service.observed = ["type": .string(seen.type), "adopted": .bool(seen.isAdopted)]
        service.observed["version"] = seen.version.map { .string($0) }
        PanelSteps.noteWishes(&service, operation, outputs: outputs)
    }
}

extension StepFailure {
    /// Whether the account is somebody else's.
    fileprivate var isAccountTaken: Bool {
        code == "conflict" && (message.hasPrefix("the user ") || message.hasPrefix("the system has an account "))
    }
}

extension PanelScope {
    fileprivate func takeAnother(than place: PanelPlace, because reason: String) async throws(StepFailure) {
        let (now, rules, random) = (dependencies.clock.now(), dependencies.allocation, dependencies.ports.random)
        let users = Array(
            SiteUser.candidates(place.domain, suffixes: (0..<16).map { _ in random.word(4) }).dropFirst())
        let work = self
        try await locally { store throws(StoreError) -> Result<Void, StepFailure> in
            let held = try store.allocations(service: work.service.id)
            if let record = held.first(where: { $0.kind == PanelPlace.userKind && $0.value == place.user }) {
                try store.disown(record, because: reason, at: now, by: rules)
            }
            _ = try store.takeAccount(place.domain, users: users, on: place.node, for: work, at: now)
            return .success(())
        }
    }
}
