import NIOCore
import NIOPosix
import Model
import SimulatedFleet
import Synchronization
import Transport
import WireProtocol

/// The simulated agents of a soak: they sample on a grid of time, say that they live, and dial again when they were cut.
final class Crowd: Sendable {
    /// One of them and when it may dial again.
    struct Member: Sendable {
        var agent: SimulatedAgent
        /// Its place on the grid of samples, 0 to 9.
        var phase: Int
        var dialsAt: ContinuousClock.Instant
        var isDialling = false
    }

    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let tally = Tally()
    private let site: Site
    private let pace: Pace
    private let findings: Findings
    private let members = Mutex<[String: Member]>([:])

    init(site: Site, pace: Pace, findings: Findings) {
        (self.site, self.pace, self.findings) = (site, pace, findings)
    }

    var agents: [SimulatedAgent] { members.withLock { $0.values.map(\.agent) }.sorted { $0.id < $1.id } }
    var linked: Int { members.withLock { $0.values.count { $0.agent.isLinked } } }

    /// Enrols a new one with a join token. It dials at once.
    @discardableResult
    func enrol(_ number: Int, token: String) async throws -> SimulatedAgent {
        let (id, context) = try await Enrolment.byToken(
            token, hostname: "soak-\(number)", port: site.ports.agents, on: group)
        let node = SimulatedNode(id: id, series: 20, spool: pace.spool, drivers: DriverReport.services)
        let agent = SimulatedAgent(node, context: context, tally: tally)
        members.withLock { $0[id] = Member(agent: agent, phase: number % 10, dialsAt: .now) }
        return agent
    }

    /// Cuts one off; it dials again after that time.
    func cut(_ agent: SimulatedAgent, _ cut: SimulatedAgent.Cut, away: Duration) {
        members.withLock { $0[agent.id]?.dialsAt = .now + away }
        agent.cut(cut)
    }

    /// It is no more part of the crowd: nobody samples or dials for it.
    func dismiss(_ agent: SimulatedAgent) { members.withLock { _ = $0.removeValue(forKey: agent.id) } }

    /// Samples and heartbeats until it is cancelled. A sample's time is the grid's, however late the clock is looked at.
    func live() async throws {
        var tick = 0
        let step = pace.sample / 10
        let (start, clock) = (Timestamp.now(), ContinuousClock.now)
        let beat = max(1, Int(5 / step.seconds))
        while !Task.isCancelled {
            let all = members.withLock { Array($0.values) }
            for member in all where member.phase == tick % 10 { member.agent.sample(at: start + step * tick) }
            for member in all where (member.phase + tick) % beat == 0 { member.agent.heartbeat() }
            tick += 1
            try await Task.sleep(until: clock + step * tick)
        }
    }

    /// Dials for those whose time has come, until it is cancelled.
    func keepLinked() async throws {
        while !Task.isCancelled {
            for agent in due() {
                Task {
                    do { try await agent.connect(port: site.ports.agents, on: group) } catch {
                        findings.count("dials refused")
                    }
                    // What does not work is tried again a little later, as a real agent's back-off does.
                    members.withLock {
                        $0[agent.id]?.isDialling = false
                        $0[agent.id]?.dialsAt = .now + .seconds(Double.random(in: 1...5))
                    }
                }
            }
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    /// At most 40 dial at the same time.
    private func due() -> [SimulatedAgent] {
        members.withLock { members in
            let now = ContinuousClock.now
            let free = 40 - members.values.count { $0.isDialling }
            let due = members.values.filter { !$0.isDialling && !$0.agent.isLinked && $0.dialsAt <= now }.prefix(free)
            for member in due { members[member.agent.id]?.isDialling = true }
            return due.map(\.agent)
        }
    }
}
