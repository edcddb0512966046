import Glibc
import TestSupport

/// One site, and the points of some sagas one after the other on it.
actor Lane {
    private let crash: CrashSite
    private var number = 0
    private var service: String?
    private var size = ServiceSize.small
    /// What engines are made to do for a saga that nobody disturbs.
    private var usual: [Saga: [String]] = [:]
    private var points: [Saga: [CrashPoint]] = [:]
    private(set) var tally = Tally()

    /// What is struck: commits, or the writes of checkpoints.
    private let scope: Strike.Scope

    init(_ crash: CrashSite, _ scope: Strike.Scope = .commits) { (self.crash, self.scope) = (crash, scope) }

    // MARK: what there is

    /// Goes through the sagas undisturbed and takes down their durable writes.
    func record(_ sagas: [Saga]) async throws {
        // The first service of a node makes the dataset that those of all services lie in; the others find it.
        for saga in [Saga.provision, .terminate] { _ = try await perform(saga, nil) }
        // A service that was suspended is resumed before anything else is done with it.
        let changes = Saga.changes.filter { sagas.contains($0) || $0 == .resume && sagas.contains(.suspend) }
        for saga in [.provision] + changes + [.terminate] + sagas.filter({ $0 == .failure || $0 == .cancellation }) {
            try await recordOne(saga, counts: sagas.contains(saga))
        }
    }

    private func recordOne(_ saga: Saga, counts: Bool) async throws {
        let outcome = try await perform(saga, nil)
        guard outcome.faults.isEmpty else { throw SetupFailure("\(saga): \(outcome.faults)") }
        usual[saga] = outcome.effects
        guard counts else { return }
        // The agent's last acknowledgement is still on its way.
        _ = try await crash.openCommands()
        for victim in Victim.allCases where Self.only.map({ $0 == victim.rawValue }) ?? true {
            let lines = crash.traps[victim]?.lines ?? []
            let transitions =
                scope == .commits ? Recording.transitions(lines) : Recording.checkpoints(lines, of: victim)
            tally.found(
                subject(victim, saga), writes: transitions.count, kinds: transitions.compactMap(\.marks.first))
            points[saga, default: []] += CrashPoint.all(victim, saga, transitions)
        }
    }

    /// Keeps so many points of each saga, by chance and in a chance order, a few as well of both daemons.
    func sample(_ count: Int, _ seed: SeededGenerator) {
        var random = seed
        for saga in Saga.allCases {
            guard let all = points[saga]?.shuffled(using: &random), count < all.count else {
                points[saga]?.shuffle(using: &random)
                continue
            }
            let sides = Victim.allCases.shuffled(using: &random).map { victim in all.filter { $0.victim == victim } }
            points[saga] = (0..<(2 * count)).compactMap { sides[$0 % 2].dropFirst($0 / 2).first }.prefix(count) + []
        }
    }

    // MARK: trying them

    /// Goes through all points, in as few lives of services as they allow.
    func run() async throws {
        while Saga.allCases.contains(where: { points[$0]?.isEmpty == false }) {
            try await life()
            try await attempt(.failure)
            try await attempt(.cancellation)
        }
        let open = try await crash.openCommands()
        if !open.isEmpty { tally.tried("both end", "at the end", hasDied: true, faults: open) }
    }

    private func life() async throws {
        let sagas = [.provision] + Saga.changes + [.terminate]
        guard sagas.contains(where: { points[$0]?.isEmpty == false }) else { return }
        try await attempt(.provision, always: true)
        repeat {
            // One does not go without the other: a service is suspended once, and resumed once.
            let halts = [Saga.suspend, .resume].contains { points[$0]?.isEmpty == false }
            try await attempt(.suspend, always: halts)
            try await attempt(.resume, always: halts)
            try await attempt(.upgrade)
            try await attempt(.repair)
        } while points[.provision, default: []].isEmpty && points[.terminate, default: []].isEmpty
            && Saga.changes.contains { points[$0]?.isEmpty == false }
        try await attempt(.terminate, always: true)
    }

    /// Tries the saga's next point; without one, nothing, or the saga undisturbed.
    private func attempt(_ saga: Saga, always: Bool = false) async throws {
        let point = points[saga]?.popLast()
        guard point != nil || always else { return }
        let start = ContinuousClock.now
        let outcome: SagaRun.Outcome
        do { outcome = try await perform(saga, point) } catch {
            guard let point else { throw error }
            tally.tried(subject(point.victim, saga), "\(point)", hasDied: true, faults: ["\(error)"])
            throw error
        }
        guard let point else { return }
        var faults = outcome.faults
        if let usual = usual[saga], point.effects(of: usual) != outcome.effects {
            faults.append("engines did \(outcome.effects) instead of \(point.effects(of: usual))")
        }
        tally.tried(subject(point.victim, saga), "\(point)", hasDied: outcome.hasDied, faults: faults)
        if getenv("INNKEEPER_CRASH_TRACE") != nil {
            print("\(point)", outcome.hasDied ? "" : "NOT REACHED", faults, ContinuousClock.now - start)
        }
    }

    private func subject(_ victim: Victim, _ saga: Saga) -> String {
        "\(victim) \(saga.rawValue)" + (scope == .calls ? ", checkpoint" : "")
    }

    /// INNKEEPER_CRASH_ONLY: `agent` or `controller`.
    static let only = getenv("INNKEEPER_CRASH_ONLY").map { String(cString: $0) }

    private func perform(_ saga: Saga, _ point: CrashPoint?) async throws -> SagaRun.Outcome {
        number += 1
        if saga == .upgrade { size = size == .small ? .large : .small }
        let run = SagaRun(
            crash: crash, saga: saga, number: number, service: service, size: size, point: point, scope: scope)
        let outcome = try await run.run()
        switch saga {
        case .provision: service = outcome.service
        case .terminate: (service, size) = (nil, .small)
        default: break
        }
        return outcome
    }
}
