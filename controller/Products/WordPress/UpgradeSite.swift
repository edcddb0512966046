import ControllerCore
import Placement
import ProductKit
import Saga
import Store
import WireProtocol

/// Changes memory, cores, disk and quotas of a site that runs or is suspended. Parameter `spec`: the whole new specification.
///
/// The larger of old and new is reserved while it works, so that going back always has room. The disk comes last: it only grows, and
/// what has grown stays so.
enum UpgradeSite {
    static let saga = SagaDefinition<SiteScope>(
        kind: Verb.upgrade.name,
        steps: SiteSteps.opening() + [
            SagaStep(room, act: reserveBoth, undo: reserveOld),
            SagaStep(limits, deadline: .seconds(180), act: setNewLimits, undo: setOldLimits),
            SagaStep(disk, deadline: .seconds(600), act: growDisk),
            SagaStep(settle, act: reserveNew, undo: reserveBothAgain),
        ])

    static let room = StepKey<NoOutput>("room")
    static let limits = StepKey<Observation>("limits")
    static let disk = StepKey<NoOutput>("disk")
    static let settle = StepKey<NoOutput>("settle")

    // MARK: room

    private static func reserveBoth(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        let (wanted, place) = (try scope.wanted(), try call.output(SiteSteps.place))
        let domains = try await scope.domains().count
        guard domains <= wanted.domains else {
            throw .refused(
                "domains_in_use", "the site has \(domains) domains, and \(wanted.domains) would be allowed: remove some"
            )
        }
        let larger = wanted.resources.larger(scope.spec.resources)
        let connected = await scope.dependencies.agents.connected()
        let (service, rules) = (scope.service, scope.scope.rules)
        return try await scope.locally { store throws(StoreError) in
            guard let held = try store.reservation(service: service.id),
                let node = try store.candidate(held.node, connected: connected)
            else { return .failure(.refused("not_placed", "the service holds no place on any node")) }
            let growth = larger.beyond(held.resources)
            if growth != .none {
                let demand = Demand(
                    resources: growth, drivers: [], storage: .proxmox(content: "rootdir"), pool: place.storage)
                let objections = Scheduler(rules: rules).objections(to: demand, on: node).filter { $0 != .notConnected }
                guard objections.isEmpty else {
                    let reasons = objections.map(\.description).joined(separator: "; ")
                    return .failure(.refused("no_room", "node \(node.name) has no room to grow: \(reasons)"))
                }
            }
            try store.reserve(held.with(larger))
            return .success(NoOutput())
        }
    }

    private static func reserveOld(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) {
        try await scope.reserve(scope.spec.resources)
    }

    private static func reserveNew(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        try await scope.reserve(scope.wanted().resources)
        return NoOutput()
    }

    private static func reserveBothAgain(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) {
        try await scope.reserve(scope.wanted().resources.larger(scope.spec.resources))
    }

    // MARK: the container

    private static func setNewLimits(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> Observation {
        let seen = try await scope.limit(call.output(SiteSteps.guest), to: scope.wanted(), call)
        if let waiting = seen["pending"]?.asArray, !waiting.isEmpty {
            let names = waiting.compactMap(\.asString).joined(separator: ", ")
            scope.note(call, "\(names) will be in force after the next restart")
        }
        return Observation(seen)
    }

    private static func setOldLimits(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) {
        _ = try await scope.limit(call.output(SiteSteps.guest), to: scope.spec, call)
    }

    private static func growDisk(_ scope: SiteScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        let wanted = try scope.wanted()
        guard wanted.diskBytes > scope.spec.diskBytes else { return NoOutput() }
        _ = try await scope.order(
            "container.resize", call.output(SiteSteps.guest),
            ["disk": "rootfs", "size_mib": .integer(wanted.diskBytes >> 20)], call)
        return NoOutput()
    }

    // MARK: conclusion

    @Sendable static func conclude(
        _ service: inout ServiceRecord, _ operation: OperationRecord, outputs: [String: JSONValue]
    ) {
        if let spec = operation.parameters["spec"]?.asObject { service.spec = spec }
        if let plan = operation.parameters["plan"]?.asString { service.plan = plan }
        if let revision = operation.parameters["plan_revision"]?.asInteger { service.planRevision = revision }
    }
}

extension SiteScope {
    func reserve(_ resources: Resources) async throws(StepFailure) {
        let id = service.id
        try await locally { store throws(StoreError) -> Result<Void, StepFailure> in
            guard let held = try store.reservation(service: id) else {
                return .failure(.refused("not_placed", "the service holds no place on any node"))
            }
            return .success(try store.reserve(held.with(resources)))
        }
    }

    /// Live where the tool can do that; what it cannot waits for the next start.
    func limit(_ guest: FoundGuest, to spec: WordPressSpec, _ call: StepCall) async throws(StepFailure) -> JSONObject {
        try await order(
            "container.set", guest,
            [
                "memory_mib": .integer(spec.memoryBytes >> 20), "cores": .integer(spec.cores), "apply": "at_restart",
            ], call)
    }
}

extension Reservation {
    var resources: Resources { Resources(cpuMillis: cpuMillis, memoryBytes: memoryBytes, diskBytes: diskBytes) }

    func with(_ resources: Resources, node: String? = nil, pool: String? = nil) -> Reservation {
        Reservation(
            service: service, node: node ?? self.node, pool: pool ?? self.pool, cpuMillis: resources.cpuMillis,
            memoryBytes: resources.memoryBytes, diskBytes: resources.diskBytes, createdAt: createdAt)
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
