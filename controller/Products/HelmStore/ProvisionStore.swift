import ControllerCore
import Model
import Placement
import ProductKit
import Saga
import Store
import WireProtocol

/// Makes a shop: a name and an id, a namespace that bears the service's mark, passwords, a release, and then waits until it is up.
///
/// What a failed one has made stays where the plan says `keep`: another try takes it up.
enum ProvisionStore {
    static let saga = SagaDefinition<StoreScope>(
        kind: Verb.provision.name, deadline: .seconds(5 * 3600), unwindAllowance: .seconds(3600),
        steps: [
            // Patient enough for nodes to come back after the controller has started.
            SagaStep(
                StoreSteps.place, retry: RetryPolicy(attempts: 6, first: .seconds(2), most: .seconds(20)), places: true,
                act: choose, undo: giveBack),
            SagaStep(
                StoreSteps.space, retry: persistent, act: StoreSteps.ensureNamespace, undo: removeNamespace),
            SagaStep(StoreSteps.secret, retry: persistent, act: StoreSteps.ensureSecret),
            SagaStep(
                StoreSteps.release, retry: persistent, deadline: .seconds(2700), act: install, undo: uninstall),
            StoreSteps.readiness(),
        ])

    /// A cluster that is overloaded says so in one moment and works in the next.
    static let persistent = RetryPolicy(attempts: 5, first: .seconds(2), most: .seconds(60))

    private static func choose(_ scope: StoreScope, _ call: StepCall) async throws(StepFailure) -> StorePlace {
        guard let name = scope.spec.name else {
            throw .refused("invalid", "a shop needs a name (overrides.name)")
        }
        guard scope.spec.email != nil || scope.spec.engine == .medusa else {
            throw .refused("invalid", "a shop needs the e-mail address of its customer (overrides.email)")
        }
        let (id, random) = (scope.service.id, scope.dependencies.ports.random)
        let ids = scope.spec.id.map { [$0] } ?? (0..<16).map { _ in "\(name)-\(random.word(6))" }
        let wanted = PlacementSpec(
            needs: HelmStore.placement, held: { store throws(StoreError) in try store.shop(of: id) },
            take: { store, choice, time throws(StoreError) in
                try store.takeShop(name, ids, on: choice.node, for: scope, at: time)
            })
        do throws(StepFailure) { return try await scope.choosePlace(wanted, call) } catch {
            guard error.message.contains("no free \(StorePlace.hostKind) is left") else { throw error }
            var failure = error
            failure.message = "the name \(name) is another shop's in \(scope.spec.zone): order it with another name"
            throw failure
        }
    }

    private static func install(_ scope: StoreScope, _ call: StepCall) async throws(StepFailure) -> Observation {
        Observation(try await scope.release(call.output(StoreSteps.place), scope.spec, .running, nil, call))
    }

    // MARK: going back

    private static func uninstall(_ scope: StoreScope, _ call: StepCall) async throws(StepFailure) {
        guard scope.spec.onFailure == .unwind else { return }
        try await TerminateStore.uninstall(scope, call.output(StoreSteps.place), call)
    }

    private static func removeNamespace(_ scope: StoreScope, _ call: StepCall) async throws(StepFailure) {
        guard scope.spec.onFailure == .unwind else { return }
        try await TerminateStore.removeNamespace(scope, call.output(StoreSteps.place), call)
    }

    private static func giveBack(_ scope: StoreScope, _ call: StepCall) async throws(StepFailure) {
        guard scope.spec.onFailure == .unwind else { return }
        try await scope.release()
    }

    @Sendable static func conclude(
        _ service: inout ServiceRecord, _ operation: OperationRecord, outputs: [String: JSONValue]
    ) {
        guard let place = outputs[StoreSteps.place.name].flatMap({ try? StorePlace(json: $0) }),
            let spec = try? StoreSpec(json: service.spec)
        else { return }
        service.address = [
            "url": .string(spec.url(place)), "host": .string(place.host), "store": .string(place.id),
            "namespace": .string(place.namespace), "release": .string(place.release),
        ]
        // Who looks at it looks for these first.
        (service.observed["url"], service.observed["namespace"]) = (
            service.address["url"], service.address["namespace"]
        )
        StoreSteps.note(&service, operation, outputs: outputs)
    }
}
