import AgentCommands
import Model
import Synchronization
import WireProtocol

@testable import ControllerCore

/// What is on the model node: the truth that sagas are judged by.
struct Belongings: Sendable, Hashable {
    struct Dataset: Sendable, Hashable {
        var quota: Int64
        var used: Int64
        /// Empty for one that bears no mark.
        var owner: String
        var nonce: String?
        var snapshots: Set<String> = []
    }

    struct Container: Sendable, Hashable {
        var image: String
        var memory: Int64
        var cpu: Int64
        var running: Bool
        var service: String
        var mount: String
        var nonce: String?
    }

    var datasets: [String: Dataset] = [:]
    var containers: [String: Container] = [:]
    var images: Set<String> = []
}

/// How the model node misbehaves for one command.
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

/// An agent with receipts, generations and lanes, over a model of ZFS and Docker.
final class ModelNode: Sendable {
    struct State: Sendable {
        var belongings = Belongings()
        var receipts: [String: CommandResult] = [:]
        var bodies: [String: JSONObject] = [:]
        var generations: [String: Int64] = [:]
        /// How often each command id took effect.
        var effects: [String: Int] = [:]
        /// Operations in the order in which they arrived first.
        var log: [String] = []
        /// Faults that are still to come, by the number of the command (1 for the first).
        var faults: [Int: [Fault]] = [:]
        var everywhere: [Fault] = []
        var numbers: [String: Int] = [:]
        var connected = true
        /// Commands that stay without an answer until `release`.
        var isHeld = false
        var cancelled: Set<String> = []
        /// Commands that are being performed, now and at most.
        var inside = 0, mostInside = 0
    }

    let state = Mutex(State())

    var belongings: Belongings { state.withLock { $0.belongings } }
    var log: [String] { state.withLock { $0.log } }
    var mostEffects: Int { state.withLock { $0.effects.values.max() ?? 0 } }

    func change(_ body: (inout State) -> Void) { state.withLock { body(&$0) } }

    var port: AgentsPort {
        AgentsPort(
            perform: { call, node throws(AgentError) in try await self.perform(call, node) },
            cancel: { command, _ in self.change { _ = $0.cancelled.insert(command) } },
            connected: { self.state.withLock { $0.connected ? ["nod_1"] : [] } })
    }

    private func perform(_ call: AgentCommand, _ node: String) async throws(AgentError) -> CommandResult {
        change { state in
            state.inside += 1
            state.mostInside = max(state.mostInside, state.inside)
        }
        defer { change { $0.inside -= 1 } }
        while state.withLock({ $0.isHeld && !$0.cancelled.contains(call.id) }) {
            if Task.isCancelled { throw AgentError(retryable: true, code: "abandoned", message: "nobody waits") }
            await Task.yield()
        }
        let result: Result<CommandResult, AgentError> = state.withLock { $0.take(call) }
        return try result.get()
    }
}

extension ModelNode.State {
    fileprivate mutating func take(_ call: AgentCommand) -> Result<CommandResult, AgentError> {
        let away = AgentError(retryable: true, code: "unreachable", message: "the node is unreachable")
        guard connected else { return .failure(away) }
        if numbers[call.id] == nil { numbers[call.id] = numbers.count + 1 }
        let fault = nextFault(call)
        if fault == .unreachable { return .failure(away) }
        if let receipt = receipts[call.id] {
            guard bodies[call.id] == call.arguments else { return .success(refusal(call, .digestMismatch)) }
            return .success(receipt)
        }
        if cancelled.contains(call.id) { return .success(keep(call, outcome(call, .cancelled, .cancelled))) }
        if call.generation < generations[call.resource, default: 0] {
            return .success(refusal(call, .staleGeneration))
        }
        if fault == .refused { return .success(refusal(call, .policy)) }
        generations[call.resource] = call.generation
        log.append("\(call.driver).\(call.action)")
        if fault == .failsBefore { return .success(keep(call, outcome(call, .failed, .failed))) }
        if fault == .interruptedBefore { return .success(keep(call, outcome(call, .interrupted, .interrupted))) }
        let done = keep(call, act(call))
        switch fault {
        case .failsAfter: return .success(keep(call, outcome(call, .failed, .failed)))
        case .interruptedAfter: return .success(keep(call, outcome(call, .interrupted, .interrupted)))
        case .answerLost: return .failure(away)
        default: return .success(done)
        }
    }

    private mutating func nextFault(_ call: AgentCommand) -> Fault? {
        let number = numbers[call.id] ?? 0
        if var left = faults[number], !left.isEmpty {
            defer { faults[number] = left }
            return left.removeFirst()
        }
        return receipts[call.id] == nil ? everywhere.first : nil
    }

    private mutating func keep(_ call: AgentCommand, _ result: CommandResult) -> CommandResult {
        receipts[call.id] = result
        bodies[call.id] = call.arguments
        return result
    }

    private func refusal(_ call: AgentCommand, _ code: CommandErrorCode) -> CommandResult {
        outcome(call, .refused, code)
    }

    private func outcome(_ call: AgentCommand, _ status: CommandStatus, _ code: CommandErrorCode) -> CommandResult {
        CommandResult(
            id: call.id, status: status, changed: false,
            error: CommandError(
                code: code, message: "it is \(code.code)", retryable: false,
                operation: "\(call.driver).\(call.action)", resource: call.resource), finished: 1)
    }

    private mutating func act(_ call: AgentCommand) -> CommandResult {
        effects[call.id, default: 0] += 1
        switch belongings.apply(call) {
        case .success(let observed):
            return CommandResult(id: call.id, status: .succeeded, changed: true, observed: observed, finished: 1)
        case .failure(let error): return outcome(call, .failed, error)
        }
    }
}

extension CommandErrorCode: Error {}
