import ControllerCore
import ProductKit
import Saga
import Store
import WireProtocol

/// Removes a site: who counts its visits forgets it, then the site goes with its account, files and databases, then its backups, and only
/// when all is seen gone its names are free.
///
/// It goes forward only. When it cannot go on it needs attention, and is asked for again.
enum TerminatePanelSite {
    static let saga = SagaDefinition<PanelScope>(
        kind: Verb.terminate.name, direction: .forward, deadline: .seconds(6 * 3600),
        steps: [
            SagaStep(place, retry: persistent, places: true, act: locate),
            SagaStep(site, retry: persistent, deadline: PanelScope.patience, act: remove),
            SagaStep(backups, retry: persistent, deadline: .seconds(3600), act: removeBackups),
            SagaStep(analytics, weight: .auxiliary, retry: persistent, act: uncount),
            SagaStep(release, retry: persistent, act: giveBack),
        ])

    private static let persistent = RetryPolicy(attempts: 5, first: .seconds(1), most: .seconds(60))

    /// Nil for a service that never had a place: there is nothing to remove.
    static let place = StepKey<PanelPlace?>("place")
    static let site = StepKey<NoOutput>("site")
    static let backups = StepKey<NoOutput>("backups")
    static let analytics = StepKey<NoOutput>("analytics")
    static let release = StepKey<NoOutput>("release")

    private static func locate(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) -> PanelPlace? {
        try await scope.placeIfAny()
    }

    private static func remove(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        guard let place = try call.output(place) else { return NoOutput() }
        if let seen = try await scope.show(place, call), seen.owner != scope.service.id {
            // One that was never ours, because ours was never made, is no reason to keep the rest.
            guard scope.service.address["domain"] != nil else { return NoOutput() }
            throw await scope.foreign(place.resource, as: PanelScope.noun, on: place.node, because: seen.whose, call)
        }
        let gone = try await scope.order("site.delete", place, ["user": .string(place.user)], call)
        guard gone["present"] == false else {
            throw StepFailure(
                .retryable, code: "still_there", message: "site \(place.domain) was removed and is there",
                resource: place.resource)
        }
        return NoOutput()
    }

    private static func removeBackups(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        guard let place = try call.output(place) else { return NoOutput() }
        for backup in try await scope.backups() {
            try await scope.deleteBackup(backup.name, on: backup.node ?? place.node, call.part(backup.id))
        }
        return NoOutput()
    }

    private static func uncount(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        if let place = try call.output(place) { try await scope.uncount(place) }
        return NoOutput()
    }

    private static func giveBack(_ scope: PanelScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        try await scope.release()
        return NoOutput()
    }

    @Sendable static func conclude(
        _ service: inout ServiceRecord, _ operation: OperationRecord, outputs: [String: JSONValue]
    ) {
        (service.address, service.observed) = ([:], [:])
    }
}
