import ControllerCore
import Placement
import ProductKit
import Saga
import Store
import WireProtocol

/// Changes memory, CPU and disk of a service that runs or is suspended. Parameter `spec`: the whole new specification.
///
/// The larger of old and new is reserved while it works, so that going back always has room.
enum UpgradeContainer {
    static let saga = SagaDefinition<ContainerScope>(
        kind: Verb.upgrade.name,
        steps: [
            SagaStep(place, places: true, act: locate),
            SagaStep(usage, act: checkUsage),
            SagaStep(room, act: reserveBoth, undo: reserveOld),
            SagaStep(quota, act: setNewQuota, undo: setOldQuota),
            SagaStep(limits, act: setNewLimits, undo: setOldLimits),
            SagaStep(settle, act: reserveNew, undo: reserveBothAgain),
        ])

    static let place = StepKey<ContainerPlace>("place")
    static let usage = StepKey<Observation>("usage")
    static let room = StepKey<NoOutput>("room")
    static let quota = StepKey<Observation>("quota")
    static let limits = StepKey<Observation>("limits")
    static let settle = StepKey<NoOutput>("settle")

    // MARK: checks

    private static func locate(_ scope: ContainerScope, _ call: StepCall) async throws(StepFailure) -> ContainerPlace {
        _ = try scope.wanted()
        return try await scope.place()
    }

    /// A quota below what is stored would make every write fail from then on.
    private static func checkUsage(_ scope: ContainerScope, _ call: StepCall) async throws(StepFailure) -> Observation {
        let place = try call.output(place)
        let wanted = try scope.wanted()
        let seen = try await scope.send(scope.measureDataset(place), to: place.node, call)
        guard let used = seen["used_bytes"]?.asInteger else {
            throw StepFailure(
                .final, code: "no_figures", message: "the node did not say how much is stored",
                resource: "zfs/\(place.dataset)", effect: .none)
        }
        guard used <= wanted.diskBytes else {
            throw StepFailure(
                .final, code: "quota_below_usage",
                message: "\(used) bytes are stored, a quota of \(wanted.diskBytes) bytes is too small",
                resource: "zfs/\(place.dataset)", effect: .none)
        }
        return Observation(seen)
    }

    // MARK: reservation

    private static func reserveBoth(_ scope: ContainerScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        let place = try call.output(place)
        let larger = try scope.wanted().resources.larger(scope.spec.resources)
        let connected = await scope.dependencies.agents.connected()
        return try await scope.locally { store throws(StoreError) in
            guard let held = try store.reservation(service: scope.service.id) else { return .failure(lost) }
            let growth = larger.beyond(held.resources)
            let node = try store.candidate(place.node, connected: connected)
            guard let node else { return .failure(lost) }
            if growth != .none {
                let demand = Demand(resources: growth, drivers: [], pool: place.pool)
                let objections = Scheduler(rules: scope.scope.rules).objections(to: demand, on: node)
                    .filter { $0 != .notConnected }
                guard objections.isEmpty else { return .failure(noRoom(node, objections)) }
            }
            try store.reserve(larger, at: place, for: scope.service)
            return .success(NoOutput())
        }
    }

    private static let lost = StepFailure(
        .final, code: "not_placed", message: "the service holds no place on any node", effect: .none)

    private static func noRoom(_ node: Candidate, _ objections: [Exclusion]) -> StepFailure {
        let reasons = objections.map(\.description).joined(separator: "; ")
        return StepFailure(
            .final, code: "no_room", message: "node \(node.name) has no room to grow: \(reasons)", effect: .none)
    }

    private static func reserveOld(_ scope: ContainerScope, _ call: StepCall) async throws(StepFailure) {
        try await scope.reserve(scope.spec.resources, at: call.output(place))
    }

    private static func reserveNew(_ scope: ContainerScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        try await scope.reserve(scope.wanted().resources, at: call.output(place))
        return NoOutput()
    }

    private static func reserveBothAgain(_ scope: ContainerScope, _ call: StepCall) async throws(StepFailure) {
        try await scope.reserve(scope.wanted().resources.larger(scope.spec.resources), at: call.output(place))
    }

    // MARK: quota

    private static func setNewQuota(_ scope: ContainerScope, _ call: StepCall) async throws(StepFailure) -> Observation
    {
        let place = try call.output(place)
        let order = try scope.setQuota(place, to: scope.wanted().diskBytes)
        return Observation(try await scope.send(order, to: place.node, call))
    }

    private static func setOldQuota(_ scope: ContainerScope, _ call: StepCall) async throws(StepFailure) {
        let place = try call.output(place)
        _ = try await scope.send(scope.setQuota(place, to: scope.spec.diskBytes), to: place.node, call)
    }

    // MARK: limits

    private static func setNewLimits(_ scope: ContainerScope, _ call: StepCall) async throws(StepFailure) -> Observation
    {
        let place = try call.output(place)
        return Observation(try await scope.send(scope.limitContainer(place, to: scope.wanted()), to: place.node, call))
    }

    private static func setOldLimits(_ scope: ContainerScope, _ call: StepCall) async throws(StepFailure) {
        let place = try call.output(place)
        _ = try await scope.send(scope.limitContainer(place, to: scope.spec), to: place.node, call)
    }

    // MARK: conclusion

    @Sendable static func conclude(
        _ service: inout ServiceRecord, _ operation: OperationRecord, outputs: [String: JSONValue]
    ) {
        if let spec = operation.parameters["spec"]?.asObject { service.spec = spec }
        if let plan = operation.parameters["plan"]?.asString { service.plan = plan }
        if let revision = operation.parameters["plan_revision"]?.asInteger { service.planRevision = revision }
        service.observed["container"] = outputs[limits.name]
        service.observed["dataset"] = outputs[quota.name]
    }
}

extension ContainerScope {
    fileprivate func wanted() throws(StepFailure) -> ContainerSpec {
        do throws(CoreError) {
            return try ContainerSpec(json: operation.parameters["spec"]?.asObject ?? [:])
        } catch {
            throw StepFailure(.final, code: "invalid", message: "\(error)", effect: .none)
        }
    }

    fileprivate func reserve(_ resources: Resources, at place: ContainerPlace) async throws(StepFailure) {
        let service = service
        try await locally { store throws(StoreError) -> Result<Void, StepFailure> in
            .success(try store.reserve(resources, at: place, for: service))
        }
    }
}

extension Resources {
    func larger(_ other: Resources) -> Resources {
        Resources(
            cpuMillis: max(cpuMillis, other.cpuMillis), memoryBytes: max(memoryBytes, other.memoryBytes),
            diskBytes: max(diskBytes, other.diskBytes))
    }

    /// What of this is more than `other` already gives.
    func beyond(_ other: Resources) -> Resources {
        Resources(
            cpuMillis: max(0, cpuMillis - other.cpuMillis), memoryBytes: max(0, memoryBytes - other.memoryBytes),
            diskBytes: max(0, diskBytes - other.diskBytes))
    }
}

extension Reservation {
    var resources: Resources { Resources(cpuMillis: cpuMillis, memoryBytes: memoryBytes, diskBytes: diskBytes) }
}
