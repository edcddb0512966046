import ControllerCore
import ProductKit
import Saga
import Store
import WireProtocol

/// Takes the site back to a backup of its own, in place; also where its container is lost. Parameter `backup`: its id, or what its
/// storage calls it; without it, the newest. What came since the backup is lost, and so are the snapshots.
enum RestoreSite {
    static let saga = SagaDefinition<SiteScope>(
        kind: Verb.restore.name, deadline: .seconds(8 * 3600),
        steps: [
            SagaStep(
                SiteSteps.place, places: true, act: { scope, _ throws(StepFailure) in try await scope.place() }),
            SagaStep(guest, act: find),
            SagaStep(power, deadline: .seconds(300), act: stop, undo: start),
            SagaStep(ha, deadline: .seconds(180), act: leaveHA, undo: joinHA),
            SagaStep(restored, deadline: .seconds(6 * 3600), act: restore),
            SagaStep(settings, deadline: .seconds(180), act: putInOrder),
            SagaStep(managed, act: joinHAAgain),
            SagaStep(started, deadline: .seconds(180), act: startAgain),
            SagaStep(address, weight: .auxiliary, deadline: .seconds(300), act: setAddress),
        ])

    /// Nil for one that is lost.
    static let guest = StepKey<FoundGuest?>("guest")
    static let power = StepKey<NoOutput>("power")
    static let ha = StepKey<NoOutput>("ha")
    static let restored = StepKey<FoundGuest>("restored")
    static let settings = StepKey<NoOutput>("settings")
    static let managed = StepKey<Observation>("managed")
    static let started = StepKey<NoOutput>("started")
    static let address = StepKey<NoOutput>("address")

    // MARK: before

    private static func find(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> FoundGuest? {
        let (wanted, place) = (try await scope.wantedBackup(), try call.output(SiteSteps.place))
        let found = try await scope.find(place, call, anyMaking: true)
        try await scope.requireReach(wanted, found?.node ?? place.node, call)
        return found
    }

    private static func stop(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        if let found = try call.output(guest), found.isRunning { try await scope.shutDown(found, call) }
        return NoOutput()
    }

    private static func start(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) {
        guard let found = try call.output(guest), found.isRunning else { return }
        // The restoration may have made it anew before it failed.
        _ = try await scope.order("container.start", found.ofAnyMaking, call)
    }

    private static func leaveHA(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        if let found = try call.output(guest), found.isInHA { try await scope.leaveHA(found, call) }
        return NoOutput()
    }

    private static func joinHA(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) {
        guard let found = try call.output(guest), found.isInHA else { return }
        // The restoration may have made it anew before it failed.
        _ = try await scope.order("ha.add", found.ofAnyMaking, call)
    }

    // MARK: the backup

    private static func restore(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> FoundGuest {
        let place = try call.output(SiteSteps.place)
        let arguments: JSONObject = [
            "backup": .string(try await scope.wantedBackup().name), "storage": .string(place.storage), "replace": true,
            "made_of": .string(scope.service.id),
        ]
        if let found = try call.output(guest) {
            // One that was cut off has made it anew: the next attempt finds another making.
            let seen = try await scope.order("container.restore", found.ofAnyMaking, arguments, call)
            return try await scope.kept(FoundGuest(node: found.node, vmid: found.vmid, seen: seen))
        }
        let request = ActionRequest(
            driver: "proxmox", action: "container.restore", resource: place.resource,
            arguments: arguments.merged(with: [
                "vmid": .integer(place.vmid), "mark": scope.mark(nil).json,
            ]))
        let seen = try await scope.send(request, to: place.node, call)
        return try await scope.kept(FoundGuest(node: place.node, vmid: place.vmid, seen: seen))
    }

    // MARK: after

    private static func putInOrder(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        try await scope.putInOrder(call.output(restored), starts: SiteSteps.isToRun(call), call)
        return NoOutput()
    }

    private static func joinHAAgain(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> Observation {
        let storage = try call.output(SiteSteps.place).storage
        return Observation(["ha": .bool(try await scope.joinHA(call.output(restored), storage: storage, call))])
    }

    private static func startAgain(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        if SiteSteps.isToRun(call) { _ = try await scope.order("container.start", call.output(restored), call) }
        return NoOutput()
    }

    /// What the backup calls the site's address may be a domain that is gone by now, or its own name of before there was one.
    private static func setAddress(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        guard SiteSteps.isToRun(call) else { return NoOutput() }
        try await scope.setAddress(
            call.output(restored), to: scope.primaryURL(call.output(SiteSteps.place)), call)
        return NoOutput()
    }

    @Sendable static func conclude(
        _ service: inout ServiceRecord, _ operation: OperationRecord, outputs: [String: JSONValue]
    ) {
        service.observed["ha"] = outputs[managed.name]?["ha"]
        service.observed["snapshots"] = .array([])
        service.observed["drift"] = nil
        // Repaired by this: what had failed is there again.
        if service.state == .failed { service.state = .running }
    }
}

extension SiteScope {
    fileprivate func kept(_ guest: FoundGuest) async throws(StepFailure) -> FoundGuest {
        try await keep(guest)
        return guest
    }

    /// The backup that is asked for, if it is one of the service's own.
    func wantedBackup() async throws(StepFailure) -> BackupRecord {
        let (all, named) = (try await backups(), operation.parameters["backup"]?.asString)
        guard let wanted = named else {
            if let newest = all.last { return newest }
            throw .refused("not_found", "the service has no backup")
        }
        if let found = all.first(where: { $0.id == wanted || $0.name == wanted }) { return found }
        throw .refused("not_found", "the service has no such backup; innctl backup list shows those that it has")
    }
}
