import AgentCommands
import Synchronization
import WireProtocol

@testable import ControllerCore

/// What is in the cluster: the truth that sagas are judged by.
struct Belongings: Sendable, Hashable {
    struct Space: Sendable, Hashable {
        /// Nil for one that bears no mark.
        var service: String?
        var hasSecret = false
        var release: Release?
    }

    struct Release: Sendable, Hashable {
        var values: JSONObject
        var isDeployed = true
        var isPending = false
        var isOurs = true
    }

    var spaces: [String: Space] = [:]
    /// What jobs have done, in order: `backup`, `restore`, `remove`, `prune`.
    var deeds: [String] = []
}

/// How a node misbehaves for one command.
enum Fault: String, Sendable, CaseIterable {
    /// Nothing is done, for good.
    case refused
    case failsBefore
    /// It is done, and reported as failed.
    case failsAfter
    case interruptedBefore, interruptedAfter
    /// It is done, the receipt is written, and the link drops.
    case answerLost
    /// It does not even arrive.
    case unreachable
}

/// Agents with receipts and generations, over a model of a cluster.
final class ModelClusters: Sendable {
    struct State: Sendable {
        var belongings = Belongings()
        var receipts: [String: CommandResult] = [:]
        var bodies: [String: JSONObject] = [:]
        var generations: [String: Int64] = [:]
        /// Actions in the order in which they arrived first.
        var log: [String] = []
        /// Arguments and secrets of each.
        var calls: [(action: String, node: String, arguments: JSONObject, secrets: JSONObject)] = []
        /// By the number of the command (1 for the first).
        var faults: [Int: Fault] = [:]
        var numbers: [String: Int] = [:]
        var nodes: Set<String> = ["nod_1", "nod_2"]
        var away: Set<String> = []
        /// Last words of the pods of a release's job, by namespace and job.
        var said: [String: [String: String]] = [:]
        /// The names of what lies in a namespace's claim.
        var backups: [String: Set<String>] = [:]
        /// What the readiness is until it is changed: problems, and whether it has failed.
        var problems: [String] = []
        var hasFailed = false
    }

    let state = Mutex(State())

    var belongings: Belongings { state.withLock { $0.belongings } }
    var log: [String] { state.withLock { $0.log } }
    func change(_ body: (inout State) -> Void) { state.withLock { body(&$0) } }

    var port: AgentsPort {
        AgentsPort(
            perform: { call, node throws(AgentError) in try self.state.withLock { $0.take(call, node) }.get() },
            connected: { self.state.withLock { $0.nodes.subtracting($0.away) } })
    }
}

extension ModelClusters.State {
    /// They change nothing: how often somebody looks is his affair.
    private static let looks: Set<String> = ["release.status", "release.ready", "namespace.inspect"]

    fileprivate mutating func take(_ call: AgentCommand, _ node: String) -> Result<CommandResult, AgentError> {
        let gone = AgentError(retryable: true, code: "unreachable", message: "the node is unreachable")
        guard !away.contains(node) else { return .failure(gone) }
        if numbers[call.id] == nil { numbers[call.id] = numbers.count + 1 }
        let fault = faults.removeValue(forKey: numbers[call.id] ?? 0)
        if fault == .unreachable { return .failure(gone) }
        if let receipt = receipts[call.id] {
            let isSame = bodies[call.id] == call.arguments
            return .success(isSame ? receipt : outcome(call, .refused, .digestMismatch))
        }
        let lane = "\(node) \(call.resource)"
        if call.generation < generations[lane, default: 0] {
            return .success(outcome(call, .refused, .staleGeneration))
        }
        if fault == .refused { return .success(outcome(call, .refused, .policy)) }
        generations[lane] = call.generation
        if !Self.looks.contains(call.action) { log.append(call.action) }
        calls.append((call.action, node, call.arguments, call.secrets))
        if fault == .failsBefore { return .success(keep(call, outcome(call, .failed, .failed))) }
        if fault == .interruptedBefore { return .success(keep(call, outcome(call, .interrupted, .interrupted))) }
        let done = keep(call, act(call, node))
        switch fault {
        case .failsAfter: return .success(keep(call, outcome(call, .failed, .failed)))
        case .interruptedAfter: return .success(keep(call, outcome(call, .interrupted, .interrupted)))
        case .answerLost: return .failure(gone)
        default: return .success(done)
        }
    }

    private mutating func keep(_ call: AgentCommand, _ result: CommandResult) -> CommandResult {
        receipts[call.id] = result
        bodies[call.id] = call.arguments
        return result
    }

    private func outcome(
        _ call: AgentCommand, _ status: CommandStatus, _ code: CommandErrorCode, changed: Bool = true
    ) -> CommandResult {
        CommandResult(
            id: call.id, status: status, changed: changed && status == .failed && code == .failed,
            error: CommandError(
                code: code, message: "it is \(code.code)", retryable: false, operation: "helm.\(call.action)",
                resource: call.resource), finished: 1)
    }

    private mutating func act(_ call: AgentCommand, _ node: String) -> CommandResult {
        do {
            let observed = try run(call)
            return CommandResult(id: call.id, status: .succeeded, changed: true, observed: observed, finished: 1)
        } catch let code as CommandErrorCode {
            return outcome(call, .failed, code)
        } catch {
            return outcome(call, .failed, .invalidArgument)
        }
    }
}

extension CommandErrorCode: Error {}
