import ControllerCore
import ProductKit
import Saga
import Store
import WireProtocol

/// Removes a site: the container with its disks and snapshots, its backups, its domains, its route and its records, and only then
/// its number, its addresses and its name.
///
/// It goes forward only. When it cannot go on it needs attention, and is asked for again.
enum TerminateSite {
    static let saga = SagaDefinition<SiteScope>(
        kind: Verb.terminate.name, direction: .forward, deadline: .seconds(7200),
        steps: [
            SagaStep(place, retry: persistent, places: true, act: locate),
            SagaStep(guest, retry: persistent, act: find),
            SagaStep(stop, retry: persistent, deadline: .seconds(600), act: stopGuest),
            SagaStep(ha, retry: persistent, deadline: .seconds(180), act: leaveHA),
            SagaStep(container, retry: persistent, deadline: .seconds(600), act: destroy),
            SagaStep(backups, retry: persistent, deadline: .seconds(1800), act: removeBackups),
            SagaStep(domains, retry: persistent, deadline: .seconds(600), act: removeDomains),
            SagaStep(route, retry: persistent, deadline: .seconds(300), act: removeRoute),
            SagaStep(record, retry: persistent, act: removeRecords),
            SagaStep(release, retry: persistent, act: giveBack),
        ])

    private static let persistent = RetryPolicy(attempts: 5, first: .seconds(1), most: .seconds(60))

    /// Nil for a service that never had a place: there is nothing to remove.
    static let place = StepKey<SitePlace?>("place")
    /// Nil for a container that is gone.
    static let guest = StepKey<FoundGuest?>("guest")
    static let stop = StepKey<NoOutput>("stop")
    static let ha = StepKey<NoOutput>("ha")
    static let container = StepKey<NoOutput>("container")
    static let backups = StepKey<NoOutput>("backups")
    static let domains = StepKey<NoOutput>("domains")
    static let route = StepKey<NoOutput>("route")
    static let record = StepKey<NoOutput>("record")
    static let release = StepKey<NoOutput>("release")

    private static func locate(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> SitePlace? {
        try await scope.placeIfAny()
    }

    private static func find(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> FoundGuest? {
        guard let place = try call.output(place) else { return nil }
        do throws(StepFailure) { return try await scope.find(place, call, anyMaking: true) } catch {
            // One that was never ours, because ours was never made, is no reason to keep the rest.
            let isMade = try await scope.nonce() != nil
            guard error.code == "foreign", !isMade else { throw error }
            return nil
        }
    }

    private static func stopGuest(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        guard let found = try call.output(guest) else { return NoOutput() }
        try await scope.shutDown(found, call)
        return NoOutput()
    }

    /// The manager would start again what is stopped.
    private static func leaveHA(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        guard let found = try call.output(guest), found.isInHA else { return NoOutput() }
        try await scope.leaveHA(found, call)
        return NoOutput()
    }

    private static func destroy(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        guard let found = try call.output(guest) else { return NoOutput() }
        _ = try await scope.order("container.destroy", found, ["force": true], call)
        return NoOutput()
    }

    /// A number is given out again some day: nothing that bears it may be left on the storage for backups.
    private static func removeBackups(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        guard let place = try call.output(place) else { return NoOutput() }
        for backup in try await scope.backups() {
            guard try await !scope.isHeld(backup) else {
                let message = "backup \(backup.id) is being restored into another service"
                throw StepFailure(.retryable, code: "in_use", message: message, effect: .none)
            }
            try await scope.removeBackup(
                backup.name, of: place, on: scope.keeper(of: backup, place, call), call.part(backup.id))
        }
        return NoOutput()
    }

    private static func removeDomains(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        let domains = try await scope.domains()
        guard let place = try call.output(place), !domains.isEmpty else { return NoOutput() }
        let site = try await scope.name(of: place.host)
        for domain in domains { try await scope.withdraw(domain, site) }
        return NoOutput()
    }

    private static func removeRoute(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        guard let place = try call.output(place), let site = try await scope.madeName(place) else { return NoOutput() }
        try await scope.removeRoute(site, of: [site.host])
        return NoOutput()
    }

    private static func removeRecords(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        guard let place = try call.output(place), let site = try await scope.madeName(place) else { return NoOutput() }
        try await scope.removeRecords(of: site)
        return NoOutput()
    }

    private static func giveBack(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        try await scope.release()
        return NoOutput()
    }

    @Sendable static func conclude(
        _ service: inout ServiceRecord, _ operation: OperationRecord, outputs: [String: JSONValue]
    ) {
        service.address = [:]
        service.observed = [:]
    }
}

extension SiteScope {
    /// Nil where the service was never led anywhere, and nobody is set up who could know of it.
    fileprivate func madeName(_ place: SitePlace) async throws(StepFailure) -> SiteName? {
        do throws(StepFailure) { return try await name(of: place.host) } catch {
            guard error.code == PortError.Kind.notSetUp.rawValue, service.address["host"] == nil else { throw error }
            return nil
        }
    }
}
