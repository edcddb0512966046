import APIModels
import HTTPFetch
import SiteSupport
import TestSupport

/// A saga from its order to its end, undisturbed or with a death in it.
struct SagaRun: Sendable {
    let crash: CrashSite
    let saga: Saga
    /// A number of its own, for names.
    let number: Int
    /// The service that it is about; nil when the saga makes it.
    let service: String?
    /// What the service is to have from an upgrade on.
    let size: ServiceSize
    let point: CrashPoint?
    /// What is noted on the way.
    let scope: Strike.Scope

    /// What came of it.
    struct Outcome: Sendable {
        var service: String
        /// Successful changes that engines were made to make.
        var effects: [String]
        /// What is not as it should be.
        var faults: [String]
        /// Whether the daemon has died where it should.
        var hasDied: Bool
    }

    func run() async throws -> Outcome {
        try await prepare()
        let before = try crash.site.gate.effects.count
        let (accepted, deaths) = try await crash.supervised {
            let accepted = try await order()
            _ = try await site.front.ended(accepted.operation.id)
            // The last acknowledgement comes behind the end.
            if point != nil { _ = await crash.hasDied(within: .seconds(8)) }
            return accepted
        }
        crash.disarm()
        site.gate.open(Self.held)
        let operation = try await site.front.ended(accepted.operation.id)
        let service = service ?? accepted.service?.id ?? ""
        let faults = try await faults(operation, service)
        // An agent whose link breaks time and again waits longer and longer; the next point shall not.
        if point?.victim == .controller, deaths > 0 {
            await site.agent.stop()
            try site.agent.start()
        }
        return Outcome(
            service: service, effects: try crash.effects(after: before), faults: faults, hasDied: deaths > 0)
    }

    private var site: Site { crash.site }

    private func prepare() async throws {
        switch saga {
        case .provision, .cancellation: try await site.apply(plan: plan, image: "site/\(plan):1")
        case .failure: try await site.apply(plan: plan, image: "site/\(plan):1", command: ["/bin/nothing"])
        case .repair: try await crash.removeContainer(of: service ?? "")
        default: break
        }
        if saga == .cancellation { try site.gate.close(Self.held) } else { arm() }
    }

    private var plan: String { "\(saga)-\(number)" }

    private func arm() {
        for (victim, trap) in crash.traps {
            if let point, point.victim == victim { trap.arm(point.strike) } else { trap.watch(scope) }
        }
    }

    // MARK: the order

    /// Where a service is held that is called off: all but its last step is done.
    private static let held = Gate.Point(engine: .zfs, action: "snapshot", moment: .before)

    private func order() async throws -> AcceptedOperation {
        switch saga {
        case .provision, .failure: return try await create()
        case .cancellation:
            let accepted = try await create()
            try await site.gate.reached(Self.held)
            arm()
            let path = "/api/v1/operations/\(accepted.operation.id)/cancel"
            _ = try await insist(path, nil, as: APIModels.Operation.self)
            return accepted
        case .upgrade:
            let body = #"{"overrides": {"memory_bytes": \#(size.memory), "disk_bytes": \#(size.disk)}}"#
            return try await insist("/api/v1/services/\(service ?? "")/upgrade", body)
        default: return try await insist("/api/v1/services/\(service ?? "")/\(saga)", nil)
        }
    }

    private func create() async throws -> AcceptedOperation {
        try await insist(
            "/api/v1/services", #"{"external_id": "\#(plan)", "customer": "c1", "plan": "\#(plan)"}"#)
    }

    /// Orders as a billing system does: again under the same key until there is an answer.
    private func insist<Model: Decodable & Sendable>(
        _ path: String, _ body: String?, as type: Model.Type = AcceptedOperation.self
    ) async throws -> Model {
        let end = ContinuousClock.now + .seconds(60)
        while true {
            let response = try? await site.front.send("POST", path, body, idempotencyKey: "\(path)-\(number)")
            if let response, response.status < 500 { return try APIClient.model(response) }
            guard ContinuousClock.now < end else { throw SetupFailure("\(path) gets no answer") }
            try await Task.sleep(for: .milliseconds(50))
        }
    }
}

/// Memory and disk in bytes.
struct ServiceSize: Sendable, Hashable {
    var memory: Int64
    var disk: Int64

    static let small = ServiceSize(memory: 32 << 20, disk: 32 << 20)
    static let large = ServiceSize(memory: 64 << 20, disk: 48 << 20)
}
