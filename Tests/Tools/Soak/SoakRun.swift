import APIModels
import SimulatedFleet

/// One soak from its start to its verdict.
struct SoakRun: Sendable {
    private let site: Site
    private let pace: Pace
    private let count: Int
    private let seed: UInt64
    private let findings = Findings()
    private let crowd: Crowd
    private let orders: Orders
    private let recorder: Recorder

    init(site: Site, pace: Pace, agents: Int, seed: UInt64) {
        (self.site, self.pace, count, self.seed) = (site, pace, agents, seed)
        crowd = Crowd(site: site, pace: pace, findings: findings)
        orders = Orders(
            site: site, findings: findings, target: max(4, agents / 8), patience: .seconds(600), seed: seed &+ 1)
        recorder = Recorder(site: site)
    }

    /// True when nothing grew that must not and every promise was kept.
    func run() async throws -> Bool {
        defer { site.stop() }
        say("soak of \(Int(pace.length.seconds)) s with \(count) simulated agents, seed \(seed), in \(site.folder)")
        try await site.start()
        try await orders.makePlan()
        let life = Task { try await crowd.live() }
        let links = Task { try await crowd.keepLinked() }
        defer {
            life.cancel()
            links.cancel()
        }
        try await enrolAll()
        let work = Task { try await disturbed() }
        try await Task.sleep(for: pace.length)
        work.cancel()
        do { try await work.value } catch is CancellationError {}
        try await Settlement(site: site, crowd: crowd, orders: orders, findings: findings).run()
        life.cancel()
        return Report(recorder.readings, findings, crowd.tally).print()
    }

    private func enrolAll() async throws {
        let token = try await site.front.token(uses: count)
        for number in 0..<count { try await crowd.enrol(number, token: token) }
    }

    /// All that goes on, until it is cancelled.
    private func disturbed() async throws {
        let churn = Churn(site: site, crowd: crowd, orders: orders, pace: pace, findings: findings)
        let readers = Readers(site: site, crowd: crowd, pace: pace, findings: findings)
        try await withThrowingTaskGroup { group in
            group.addTask { try await churn.disturb(seed: seed, first: count) }
            group.addTask { try await churn.restartAgent() }
            group.addTask { try await churn.restartController(hard: pace.length < .seconds(300)) }
            group.addTask { try await churn.watch() }
            group.addTask { try await every(pace.orders) { await orders.step() } }
            group.addTask { try await every(.seconds(1)) { await orders.look() } }
            group.addTask { try await every(pace.record) { await recorder.look() } }
            group.addTask { try await readers.ask(seed: seed &+ 2) }
            for number in 0..<6 { group.addTask { try await readers.follow(seed: seed &+ 3 &+ UInt64(number)) } }
            try await group.waitForAll()
        }
    }

    private func every(_ time: Duration, _ body: () async -> Void) async throws {
        while !Task.isCancelled {
            await body()
            try await Task.sleep(for: time)
        }
    }
}
