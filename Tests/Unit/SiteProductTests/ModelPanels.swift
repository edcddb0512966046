import AgentCommands
import Synchronization
import WireProtocol

@testable import ControllerCore

/// What is on the servers: the truth that sagas are judged by.
struct Belongings: Sendable, Hashable {
    struct Site: Sendable, Hashable {
        var node: String
        var user: String
        var type: String
        var version: String?
        var port: Int64?
        var service: String?
        var nonce: String?
        var hasPassword = false
        var isSuspended = false
        /// Of its certificate; none for the panel's own.
        var names: [String] = []
        /// Further names that nginx answers for.
        var aliases: [String] = []
        /// What is in each.
        var databases: [String: String] = [:]
        /// How often its settings were read anew.
        var restarts = 0
        var password: String?
        /// What is in its folder.
        var files = ""
    }

    /// By node and domain.
    var sites: [String: Site] = [:]
    /// What was kept of sites, by node and name.
    var backups: [String: Site] = [:]
    /// Accounts that no site has, by node and name.
    var accounts: Set<String> = []
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

/// Agents with receipts and generations, over a model of CloudPanel.
final class ModelPanels: Sendable {
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
        /// Why the authority gives no certificate; it does where there is no reason.
        var refusal: String?
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

extension ModelPanels.State {
    /// They change nothing: how often somebody looks is his affair.
    private static let looks: Set<String> = ["site.show", "database.list", "backup.list", "certificate.show"]

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
        _ call: AgentCommand, _ status: CommandStatus, _ code: CommandErrorCode, changed: Bool = true,
        _ message: String? = nil, retryable: Bool = false
    ) -> CommandResult {
        CommandResult(
            id: call.id, status: status, changed: changed && status == .failed && code == .failed,
            error: CommandError(
                code: code, message: message ?? "it is \(code.code)", retryable: retryable,
                operation: "cloudpanel.\(call.action)", resource: call.resource), finished: 1)
    }

    private mutating func act(_ call: AgentCommand, _ node: String) -> CommandResult {
        do throws(Refusal) {
            let observed = try run(call, node)
            return CommandResult(id: call.id, status: .succeeded, changed: true, observed: observed, finished: 1)
        } catch {
            return outcome(call, .failed, error.code, changed: false, error.message, retryable: error.isRetryable)
        }
    }
}

/// What the driver says no with.
struct Refusal: Error {
    var code: CommandErrorCode
    var message: String?
    var isRetryable = false
}
