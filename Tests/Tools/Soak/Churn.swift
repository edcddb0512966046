import APIModels
import SimulatedFleet
import TestSupport

/// Agents come and go: cuts of every kind, stalls, long absences, storms, new nodes for revoked ones; the real agents
/// and, rarely, the controller are restarted.
struct Churn: Sendable {
    let site: Site
    let crowd: Crowd
    let orders: Orders
    let pace: Pace
    let findings: Findings

    /// Disturbs until it is cancelled.
    func disturb(seed: UInt64, first: Int) async throws {
        var numbers = SeededGenerator(seed: seed)
        var next = first
        while !Task.isCancelled {
            try await Task.sleep(for: pace.churn)
            let agents = crowd.agents
            guard let agent = agents.randomElement(using: &numbers) else { continue }
            switch Int.random(in: 0..<100, using: &numbers) {
            case 0..<50: cut(agent, away: numbers.seconds(0.2...15))
            case 50..<56: cut(agent, away: pace.absence)
            case 56..<80: stall(agent, for: numbers.seconds(2...14))
            case 80..<81: storm(agents, &numbers)
            default:
                await replace(agent, by: next)
                next += 1
            }
        }
    }

    private func cut(_ agent: SimulatedAgent, away: Duration) {
        findings.count("links cut")
        crowd.cut(agent, SimulatedAgent.Cut.allCases.randomElement() ?? .reset, away: away)
    }

    private func stall(_ agent: SimulatedAgent, for time: Duration) {
        findings.count("links stalled")
        agent.setReading(false)
        Task {
            try? await Task.sleep(for: time)
            agent.setReading(true)
        }
    }

    private func storm(_ agents: [SimulatedAgent], _ numbers: inout SeededGenerator) {
        findings.count("reconnect storms")
        for agent in agents { crowd.cut(agent, .reset, away: numbers.seconds(0...5)) }
    }

    /// A new node for an old one, which is revoked and forgotten.
    private func replace(_ agent: SimulatedAgent, by number: Int) async {
        do {
            try await crowd.enrol(number, token: site.front.token(uses: 1))
            findings.count("nodes enrolled")
            crowd.dismiss(agent)
            try await Retirement(agent: agent, crowd: crowd, orders: orders, site: site, findings: findings).run()
            findings.count("nodes revoked and removed")
        } catch {
            // The controller may be away just now; an old node that stays revoked but not removed does no harm.
            findings.count("replacements given up")
        }
    }

    /// Restarts the first real agent again and again; the second lives as long as the soak.
    func restartAgent() async throws {
        var isHard = false
        while !Task.isCancelled {
            try await Task.sleep(for: pace.agentLife)
            let daemon = site.agents[0]
            await blocking { [isHard] in daemon.stop(hard: isHard) }
            try daemon.start()
            findings.count("restarts of a real agent")
            isHard.toggle()
        }
    }

    /// Restarts the controller once: in order in a long run, hard in a short one.
    func restartController(hard: Bool) async throws {
        try await Task.sleep(for: pace.controllerRestart)
        await blocking { site.controller.stop(hard: hard) }
        try site.controller.start()
        try await site.awaitReady()
        findings.count("restarts of the controller")
    }

    /// No daemon may end by itself.
    func watch() async throws {
        while !Task.isCancelled {
            for daemon in [site.controller] + site.agents where daemon.hasDied {
                findings.breach("\(daemon.name) ended by itself")
                try daemon.start()
            }
            try await Task.sleep(for: .seconds(1))
        }
    }
}

/// Waiting for a child blocks a thread, which must not be one that Swift shares among all tasks.
func blocking(_ body: @escaping @Sendable () -> Void) async {
    await withCheckedContinuation { continuation in
        Thread.detach {
            body()
            continuation.resume()
        }
    }
}
