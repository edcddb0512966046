import AgentCommands
import Logging
import Model
import Saga
import Store
import WireProtocol

/// What the one step of a command may touch.
struct CommandScope: RunScope {
    let dependencies: Dependencies
    let operation: OperationRecord
    let command: NodeCommand
    /// Writes a line into the operation's log.
    let note: @Sendable (_ step: String, _ text: String) -> Void
}

extension OperationType {
    /// A command to a node. Somebody may sit in a shell for hours: commands take no place from the work on services.
    package static let command = OperationType(
        kind: NodeCommand.kind, access: .commands, places: .own(Operations.commandsPerNode), goesOnAfterRestore: false,
        outline: { _ in CommandSaga.outline },
        prepare: { preparation in
            let command = try NodeCommand(preparation.operation)
            let scope = CommandScope(
                dependencies: preparation.dependencies, operation: preparation.operation, command: command,
                note: preparation.note)
            return OperationWork(
                saga: CommandSaga.definition(of: command).bound(to: scope),
                begin: { store, _, _ throws(StoreError) in .context(try store.context(of: command)) },
                judge: { outcome, last in command.mutates ? outcome.admitting(last) : outcome })
        })
}

extension SagaOutcome {
    /// A command has no undo: where nobody knows how far it came, to say that it failed or was cancelled would be a guess.
    fileprivate func admitting(_ last: StepFailure?) -> SagaOutcome {
        guard let last, last.kind == .interrupted || last.kind == .unanswered, last.effect == .possible else {
            return self
        }
        switch self {
        case .failed(let cause): return .needsAttention(cause, leftovers: [])
        case .cancelled: return .needsAttention(last, leftovers: [])
        default: return self
        }
    }
}

/// A command to a node as a saga of one step without an undo. The step is tried once: what was cut off in the middle is told
/// as unknown and never done again, and only a command that found no answer is sent again, under the same id.
enum CommandSaga {
    /// For the way to a node that is just coming back, beyond the command's own time.
    private static let allowance = Duration.seconds(120)
    private static let step = StepKey<NoOutput>("command")
    static let generationKey = "generation"
    static var outline: [StepOutline] { [StepOutline(name: step.name, isAuxiliary: false)] }

    static func definition(of command: NodeCommand) -> SagaDefinition<CommandScope> {
        SagaDefinition(
            kind: NodeCommand.kind, deadline: command.deadline + allowance,
            steps: [
                SagaStep(
                    step, retry: RetryPolicy(attempts: 1, first: .milliseconds(250), most: .seconds(5)),
                    deadline: command.deadline, onInterrupted: .fail, act: perform)
            ])
    }

    private static func perform(_ scope: CommandScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        let generation = call.context[generationKey]?.asInteger ?? 0
        var command = scope.agentCommand(call, generation)
        var result = try await scope.follow(command, call)
        if let newest = await scope.forgottenGeneration(in: result, of: command, on: scope.command.node) {
            command.renew(newest)
            result = try await scope.follow(command, call)
        }
        try await scope.keep(result)
        _ = try result.observation(of: command.resource)
        return NoOutput()
    }

    static func context(generation: Int64) -> JSONObject { [generationKey: .integer(generation)] }
}

extension Store {
    /// The generation of a command is that of the newest one for its resource: not older than what has been done, and
    /// not newer than what a service will send next. One that is late for a newer one is refused by the agent.
    func context(of command: NodeCommand) throws(StoreError) -> JSONObject {
        guard command.mutates else { return CommandSaga.context(generation: 0) }
        let newest = try newestGeneration(of: command.resource, on: command.node) ?? 0
        return CommandSaga.context(generation: max(newest, try generationBase()))
    }
}

extension CommandScope {
    fileprivate func agentCommand(_ call: StepCall, _ generation: Int64) -> AgentCommand {
        AgentCommand(
            id: call.command, resource: command.resource, generation: generation, driver: command.driver,
            action: command.action, arguments: command.arguments, secrets: command.secrets,
            deadline: call.deadline, trace: operation.id, by: operation.requestedBy, isLook: command.isLook,
            observer: CommandObserver(progress: { note(call.step, $0.message) }))
    }

    /// Sends the command, lets others hear what it says meanwhile, and keeps the last of it.
    fileprivate func follow(_ sent: AgentCommand, _ call: StepCall) async throws(StepFailure) -> CommandResult {
        let (live, agents, id) = (dependencies.live, dependencies.agents, sent.id)
        let output = live.begin(operation.id, command: id, isFollowed: command.isFollowed) { agents.grant(id, $0) }
        let watch = Task {
            guard command.isAttended else { return await LiveCommands.watch(output) }
            await live.watch(operation.id) { await callOff(step: call.step) }
        }
        defer {
            watch.cancel()
            live.end(operation.id)
        }
        var sent = sent
        sent.observer.grantsCredit = true
        sent.observer.output = {
            output.append(OutputChunk(stream: $0.stream, offset: $0.offset, bytes: $0.data))
        }
        let result = try await send(sent)
        await keep(output.tail)
        return result
    }

    /// Nobody would see what comes of it, and one that waits for input would wait for ever.
    private func callOff(step: String) async {
        note(step, "called off: nobody follows it any more")
        do throws(StoreError) {
            try await dependencies.store.updateOperation(operation.id) { $0.cancelRequested = true }
        } catch {
            dependencies.logger.error(
                "a command that nobody follows is not called off",
                metadata: ["operation": "\(operation.id)", "error": "\(error)"])
        }
    }

    private func keep(_ tail: [OutputChunk]) async {
        guard !tail.isEmpty else { return }
        do throws(StoreError) {
            try await dependencies.store.keepOutput(operation.id, .array(tail.map(\.json)))
        } catch {
            dependencies.logger.error(
                "what a command said is not kept", metadata: ["operation": "\(operation.id)", "error": "\(error)"])
        }
    }

    fileprivate func send(_ sent: AgentCommand) async throws(StepFailure) -> CommandResult {
        do throws(AgentError) {
            return try await dependencies.agents.perform(sent, command.node)
        } catch {
            throw StepFailure(
                error.retryable ? .unanswered : .final, code: error.code, message: error.message,
                resource: sent.resource, effect: error.retryable ? .possible : .none)
        }
    }

    /// What came of it stands in the operation, whether it went well or not.
    fileprivate func keep(_ result: CommandResult) async throws(StepFailure) {
        var kept: JSONObject = ["status": .string(result.status.code), "changed": .bool(result.changed)]
        if !result.observed.isEmpty { kept["observed"] = .object(result.observed) }
        kept["output_bytes"] = result.outputBytes.map { .integer($0) }
        let found = kept
        do throws(StoreError) {
            try await dependencies.store.updateOperation(operation.id) {
                $0.result = .object(($0.result?.asObject ?? [:]).merged(with: found))
            }
        } catch {
            // The agent keeps the receipt: the same command again gives the same result.
            throw StepFailure(.unanswered, code: "store", message: "the result could not be stored: \(error)")
        }
    }
}

extension RunScope {
    /// The node has seen a newer command for the resource than this store remembers, which forgets old ones in time. The
    /// refused one was not done, and may go again under that generation. Nil when a newer one is known here: then this
    /// one is late and stays refused.
    func forgottenGeneration(in result: CommandResult, of command: AgentCommand, on node: String) async -> Int64? {
        guard result.status == .refused, result.error?.code == .staleGeneration,
            let newest = result.observed["newest_generation"]?.asInteger,
            Store.mayHaveGiven(newest, until: dependencies.clock.now())
        else { return nil }
        let known = (try? await dependencies.store.newestGeneration(of: command.resource, on: node)) ?? nil
        return newest > max(known ?? 0, command.generation) ? newest : nil
    }
}

extension AgentCommand {
    /// Under which a refused command goes again.
    static func renewed(_ id: String) -> String { id + ".g" }
    var renewedID: String { Self.renewed(id) }

    mutating func renew(_ generation: Int64) {
        id = renewedID
        self.generation = generation
    }
}
