import AgentCommands
import Logging
package import Saga
import Store
package import WireProtocol

/// What a step asks of the agent of a node.
package struct ActionRequest: Sendable {
    package var driver: String
    package var action: String
    package var resource: String
    package var arguments: JSONObject
    /// Arguments that are neither stored nor logged on the way.
    package var secrets: JSONObject
    /// Other services use the resource too, so their generations must not compete.
    package var isShared: Bool

    package init(
        driver: String, action: String, resource: String, arguments: JSONObject, secrets: JSONObject = [:],
        isShared: Bool = false
    ) {
        (self.driver, self.action, self.resource) = (driver, action, resource)
        (self.arguments, self.secrets, self.isShared) = (arguments, secrets, isShared)
    }
}

extension ServiceWork {
    /// Sends a command under the call's command id and returns what the agent observed.
    package func send(
        _ request: ActionRequest, to node: String, _ call: StepCall
    ) async throws(StepFailure) -> JSONObject {
        let command = command(request, call)
        let result: CommandResult
        do throws(AgentError) {
            result = try await dependencies.agents.perform(command, node)
        } catch {
            throw StepFailure(
                error.retryable ? .unanswered : .final, code: error.code, message: error.message,
                resource: request.resource)
        }
        await learn(from: result, of: command, on: node)
        return try result.observation(of: request.resource)
    }

    /// The request as it goes out.
    func command(_ request: ActionRequest, _ call: StepCall) -> AgentCommand {
        AgentCommand(
            id: call.command, resource: request.resource,
            generation: request.isShared ? 0 : generation(call), driver: request.driver,
            action: request.action, arguments: request.arguments, secrets: request.secrets, deadline: call.deadline,
            trace: operation.id,
            observer: CommandObserver(progress: { [note = scope.note] in note(call.step, $0.message) }))
    }

    /// Grows with each operation of the service, and once more when it goes back: a command of the way forward that
    /// arrives late cannot undo the undoing.
    private func generation(_ call: StepCall) -> Int64 {
        (call.context[Restoration.baseKey]?.asInteger ?? 0) + operation.position * 2 + (call.unwinding ? 1 : 0)
    }

    /// An agent that has seen newer commands than this store has given: the store is older than it should be. This command
    /// stays refused, for nobody knows what came after it; what begins from now on is newer.
    func learn(from result: CommandResult, of command: AgentCommand, on node: String) async {
        guard result.status == .refused, result.error?.code == .staleGeneration,
            let newest = result.observed["newest_generation"]?.asInteger, newest > command.generation | 1
        else { return }
        let now = dependencies.clock.now()
        do throws(StoreError) {
            if try await dependencies.store.raiseGenerations(above: newest, at: now) {
                dependencies.logger.error(
                    "a node has seen newer commands than this store knows: it is older than it should be",
                    metadata: [
                        "resource": "\(command.resource)", "newest": "\(newest)", "ours": "\(command.generation)",
                    ])
            } else {
                try await dependencies.store.raise(.impossibleGeneration(newest, of: command, on: node), at: now)
            }
        } catch {
            dependencies.logger.error("the generation could not be stored", metadata: ["error": "\(error)"])
        }
    }
}

extension Finding {
    fileprivate static func impossibleGeneration(
        _ generation: Int64, of command: AgentCommand, on node: String
    ) -> Finding {
        Finding(
            "node.generation", subject: "node/\(node)", .error, node: node,
            summary:
                "The node refuses commands for \(command.resource) as older than one that no controller can have given.",
            remedy:
                "See who else can reach the agent, and its journal; a node that nobody can vouch for is to be revoked and enrolled anew.",
            data: ["generation": .integer(generation), "ours": .integer(command.generation)])
    }
}

extension CommandResult {
    /// What was observed, or why there is nothing to observe.
    func observation(of resource: String) throws(StepFailure) -> JSONObject {
        // It goes into the journal: no step needs more.
        if status == .succeeded { return observed.capped(to: 64 << 10) }
        let code = error?.code.code ?? status.code
        let message = detailed.error.map(\.message) ?? "the agent says \(status.code)"
        throw StepFailure(
            failureKind, code: code, message: message, resource: error?.resource ?? resource, effect: effect)
    }

    private var failureKind: StepFailure.Kind {
        switch (status, error?.code) {
        // It only waited: nothing was done, whatever the step's policy on interruptions is.
        case (.interrupted, .notStarted): .retryable
        case (.interrupted, _): .interrupted
        // The agent cannot know whether this very command was done before it lost its journal.
        case (.refused, .journalLost): .interrupted
        // Busy, or about to restart. There is no receipt, so that the same command may come again until time is up.
        case (.refused, _) where error?.retryable == true: .unanswered
        // Nobody knows how far it came; ensure-style steps look for themselves.
        case (.failed, .unknownOutcome): .interrupted
        // Cancelled by the node's owner or by a command of ours that came to nothing: as good as not done.
        case (.cancelled, _): .retryable
        default: error?.retryable == true ? .retryable : .final
        }
    }

    private var effect: StepFailure.Effect {
        if status == .refused { return error?.code == .journalLost ? .possible : .none }
        if status == .interrupted { return error?.code == .notStarted ? .none : .possible }
        guard status == .failed, !changed else { return .possible }
        switch error?.code {
        case .conflict, .foreign, .invalidArgument, .unsupported: return .none
        default: return .possible
        }
    }

    private static let detailLimit = 1000

    /// With the tool's own words in the message: without them nobody knows what to put right.
    private var detailed: CommandResult {
        guard let error, let detail = error.detail, !detail.isEmpty else { return self }
        var result = self
        result.error?.message = "\(error.message): \(detail.prefix(Self.detailLimit))"
        return result
    }
}
