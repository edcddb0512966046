import AgentCore
import ControllerEngine
import Sessions
import Store

/// Whether everything has come to rest: no operation is under way, every node is connected, no result and no report waits.
final class Rest: @unchecked Sendable {
    // Unchecked: one thread.
    private unowned let trial: Trial
    private let scheduler = Scheduler.shared
    private(set) var isReached = false
    private(set) var obstacle = "the controller does not answer"
    /// What was found in the look that goes on.
    private var findings: [String] = []
    private var answers = 0
    private var quietLooks = 0
    /// Usage that no disk took is said by the next reading, which must have had its time.
    private static let oneReading: Moment = .seconds(150)
    private let start = Scheduler.shared.now

    init(of trial: Trial) { self.trial = trial }

    func begin() { look() }

    private func look() {
        findings = []
        answers = 0
        askController()
        for node in trial.nodes { ask(node) }
        scheduler.after(.seconds(5)) { [self] in
            judge()
            if !isReached { look() }
        }
    }

    /// Twice in a row, since a reconciler may order something in between.
    private func judge() {
        if answers < trial.nodes.count + 1 { findings.append("somebody does not answer") }
        if let first = findings.first { obstacle = first }
        quietLooks = findings.isEmpty ? quietLooks + 1 : 0
        isReached = quietLooks >= 3 && scheduler.now >= start + Self.oneReading
    }

    private func askController() {
        let count = trial.nodes.count
        trial.controller.ask { [self] engine in
            let unfinished = try await engine.store.unfinishedOperations()
            if !unfinished.isEmpty {
                findings.append("unfinished: \(unfinished.map { "\($0.kind) \($0.id) \($0.state)" })")
            }
            let connected = engine.sessions.fleet.liveSessions.count
            if connected < count { findings.append("\(connected) of \(count) nodes are connected") }
            answers += 1
        }
    }

    private func ask(_ node: NodeMachine) {
        guard let owner = node.owner, let agent = node.agent else { return findings.append("\(node.name) is down") }
        scheduler.within(owner) {
            _ = Task.detached { [self] in
                let results = try await agent.files.journal.unacknowledged(limit: 1)
                if let first = results.first { findings.append("\(node.name) keeps the result of \(first.id)") }
                let ranges = try await agent.files.spool.ranges()
                // The newest samples are always on their way.
                for (kind, range) in ranges where range.count > (kind == .events ? 0 : 5) {
                    findings.append("\(node.name) keeps \(range.count) reports (\(kind))")
                }
                answers += 1
            }
        }
    }
}
