import ControllerCore
import ProductKit
import Saga
import Store
import WireProtocol

/// Removes a shop: the release, then the namespace with claims, backups and secrets, and only when all is seen gone its names.
///
/// It goes forward only. When it cannot go on it needs attention, and is asked for again.
enum TerminateStore {
    static let saga = SagaDefinition<StoreScope>(
        kind: Verb.terminate.name, direction: .forward, deadline: .seconds(2 * 3600),
        steps: [
            SagaStep(place, retry: persistent, places: true, act: locate),
            SagaStep(release, retry: persistent, deadline: .seconds(1200), act: uninstall),
            SagaStep(space, retry: persistent, deadline: .seconds(600), act: removeNamespace),
            SagaStep(names, retry: persistent, act: giveBack),
        ])

    private static let persistent = RetryPolicy(attempts: 5, first: .seconds(1), most: .seconds(60))

    /// Nil for a service that never had a place: there is nothing to remove.
    static let place = StepKey<StorePlace?>("place")
    static let release = StepKey<NoOutput>("release")
    static let space = StepKey<NoOutput>("namespace")
    static let names = StepKey<NoOutput>("names")

    private static func locate(_ scope: StoreScope, _ call: StepCall) async throws(StepFailure) -> StorePlace? {
        try await scope.placeIfAny()
    }

    private static func uninstall(_ scope: StoreScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        if let place = try call.output(place) { try await uninstall(scope, place, call) }
        return NoOutput()
    }

    private static func removeNamespace(_ scope: StoreScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        if let place = try call.output(place) { try await removeNamespace(scope, place, call) }
        return NoOutput()
    }

    private static func giveBack(_ scope: StoreScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        try await scope.release()
        return NoOutput()
    }

    // MARK: what going back does too

    static func uninstall(_ scope: StoreScope, _ place: StorePlace, _ call: StepCall) async throws(StepFailure) {
        try await leavingOthers(scope) { () throws(StepFailure) in
            _ = try await scope.send("release.uninstall", about: place, ["mark": scope.mark], call)
        }
    }

    static func removeNamespace(_ scope: StoreScope, _ place: StorePlace, _ call: StepCall) async throws(StepFailure) {
        try await leavingOthers(scope) { () throws(StepFailure) in
            let seen = try await scope.send(
                "namespace.remove", about: place, ["mark": scope.mark, "timeout_s": 120], call)
            guard seen["present"] == false else {
                throw StepFailure(
                    .retryable, code: "still_there", message: "namespace \(place.namespace) was removed and is there",
                    resource: place.space)
            }
        }
    }

    /// A namespace that was never ours, because ours was never made, is no reason to keep the rest.
    private static func leavingOthers(
        _ scope: StoreScope, _ work: () async throws(StepFailure) -> Void
    ) async throws(StepFailure) {
        do throws(StepFailure) { try await work() } catch {
            guard error.code == "foreign", scope.service.address["namespace"] == nil else { throw error.explained }
        }
    }

    @Sendable static func conclude(
        _ service: inout ServiceRecord, _ operation: OperationRecord, outputs: [String: JSONValue]
    ) {
        (service.address, service.observed) = ([:], [:])
    }
}
