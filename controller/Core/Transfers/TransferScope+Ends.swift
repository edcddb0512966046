import AgentCommands
import Model
import Saga
import Store
import Synchronization
import WireProtocol

extension TransferScope {
    private var places: String {
        let (from, to) = (transfer.sender, transfer.receiver)
        return "\(from.node) \(from.resource)@\(transfer.snapshot) to \(to.node) \(to.resource)"
    }

    /// Whether a command of this id was sent before: in another life of the controller, or when no answer came.
    func knows(_ command: String) async throws(StepFailure) -> Bool {
        do throws(StoreError) { return try await dependencies.store.command(command) != nil } catch {
            throw StepFailure(.unanswered, code: "store", message: "\(error)", effect: .none)
        }
    }

    func begin(_ planned: TransferEnds) async throws(StepFailure) {
        try await requireNodes()
        var ends = planned
        if let token = try await token(ends.state) {
            ends.goOn(with: token, dataset: transfer.sender.arguments["dataset"])
            note(ends.step, "goes on with what an interrupted receive has left")
        }
        note(ends.step, places)
        try await remember(ends.sender.arguments)
        ends.sender.observer.progress = progress(ends.step)
        var outcome = await relay(ends)
        if case .success(let result) = outcome.receiver,
            let newest = await forgottenGeneration(in: result, of: ends.receiver, on: transfer.receiver.node)
        {
            ends.receiver.renew(newest)
            ends.sender.renew(0)
            outcome = await relay(ends)
        }
        try await conclude(outcome, ends)
    }

    /// A transfer waits for nobody: what would be sent later may be out of date then.
    private func requireNodes() async throws(StepFailure) {
        let connected = await dependencies.agents.connected()
        for node in [transfer.sender.node, transfer.receiver.node] where !connected.contains(node) {
            throw StepFailure(
                .final, code: "unreachable", message: "node \(node) is not connected; nothing was begun", effect: .none)
        }
    }

    /// What the sender tells, as lines of the log; one in ten seconds is enough for hours.
    private func progress(_ step: String) -> @Sendable (CommandProgress) async -> Void {
        let told = Mutex<ContinuousClock.Instant?>(nil)
        return { [note] progress in
            let isDue = told.withLock { told in
                guard told.map({ .now - $0 >= .seconds(10) }) ?? true else { return false }
                told = .now
                return true
            }
            guard isDue else { return }
            let message = progress.message
            note(step, progress.fraction.map { "\(message), \(Int($0 * 100)) %" } ?? message)
        }
    }

    /// The token of an interrupted receive on the target; nil for none, and where the node does not tell.
    private func token(_ state: AgentCommand) async throws(StepFailure) -> String? {
        do throws(AgentError) {
            let result = try await dependencies.agents.perform(state, transfer.receiver.node)
            return result.status == .succeeded ? result.observed["resume_token"]?.asString : nil
        } catch { throw StepFailure(error, state.resource) }
    }

    private func relay(_ ends: TransferEnds) async -> RelayOutcome {
        await dependencies.agents.relay(ends.sender, transfer.sender.node, ends.receiver, transfer.receiver.node)
    }

    private func conclude(_ outcome: RelayOutcome, _ ends: TransferEnds) async throws(StepFailure) {
        guard outcome.isComplete, case .success(let received) = outcome.receiver else {
            try await keep(["bytes": .integer(outcome.bytes)])
            throw outcome.failure(ends)
        }
        try await keep(received, bytes: outcome.bytes)
        guard ends.hasToken, let arrived = received.observed["snapshot"]?.asString, arrived != transfer.snapshot
        else { return }
        throw StepFailure(
            .final, code: "other_snapshot",
            message: "what had been interrupted was the snapshot \(arrived), and it is there now; ask again for "
                + "\(transfer.snapshot), as an increment to it", resource: ends.receiver.resource)
    }

    private func keep(_ received: CommandResult, bytes: Int64) async throws(StepFailure) {
        try await keep([
            "bytes": .integer(bytes), "changed": .bool(received.changed), "observed": .object(received.observed),
        ])
    }

    private func keep(_ found: JSONObject) async throws(StepFailure) {
        try await update { $0.result = .object(($0.result?.asObject ?? [:]).merged(with: found)) }
    }

    /// The sender's arguments as they went out: the same command can be sent again to be called off.
    private func remember(_ arguments: JSONObject) async throws(StepFailure) {
        try await update { $0.parameters[Self.sendingKey] = .object(arguments) }
    }

    private static var sendingKey: String { "sending" }

    private func update(_ change: @escaping @Sendable (inout OperationRecord) -> Void) async throws(StepFailure) {
        do throws(StoreError) {
            try await dependencies.store.updateOperation(operation.id, change)
        } catch {
            throw StepFailure(.unanswered, code: "store", message: "the result could not be stored: \(error)")
        }
    }
}

// MARK: cut off

extension TransferScope {
    /// Ends at both nodes what was begun before. What had arrived whole by then counts.
    func settle(_ planned: TransferEnds) async throws(StepFailure) {
        var ends = planned
        if let arguments = operation.parameters[Self.sendingKey]?.asObject { ends.sender.arguments = arguments }
        if try await knows(ends.receiver.renewedID) {
            ends.receiver.renew(ends.receiver.generation)
            ends.sender.renew(0)
        }
        note(ends.step, "was cut off: it is ended at both nodes")
        if try await knows(ends.sender.id) { _ = try await stop(ends.sender, transfer.sender.node) }
        let received = try await stop(ends.receiver, transfer.receiver.node)
        guard received.status != .succeeded else { return try await keep(received, bytes: received.bytes) }
        throw StepFailure(
            .final, code: "interrupted",
            message: "it was cut off in the middle and ended at both nodes; ask for it again: it goes on with what "
                + "has arrived where ZFS keeps that, and from the beginning elsewhere", resource: ends.receiver.resource
        )
    }

    /// The command once more, which its node knows already, together with the word to stop.
    private func stop(_ command: AgentCommand, _ node: String) async throws(StepFailure) -> CommandResult {
        let word = Task { [agents = dependencies.agents] in
            repeat { await agents.cancel(command.id, "the transfer was cut off") } while await Self.rest()
        }
        defer { word.cancel() }
        do throws(AgentError) { return try await dependencies.agents.perform(command, node) } catch {
            throw StepFailure(error, command.resource)
        }
    }

    /// False when the task is cancelled.
    private static func rest() async -> Bool { (try? await Task.sleep(for: .milliseconds(500))) != nil }
}

extension CommandResult {
    fileprivate var bytes: Int64 { observed["bytes"]?.asInteger ?? 0 }
}

extension StepFailure {
    fileprivate init(_ error: AgentError, _ resource: String) {
        self.init(
            error.retryable ? .unanswered : .final, code: error.code, message: error.message, resource: resource,
            effect: error.retryable ? .possible : .none)
    }
}

extension RelayOutcome {
    /// Why not everything has arrived: the end that failed by itself, not the one that was stopped for it.
    fileprivate func failure(_ ends: TransferEnds) -> StepFailure {
        let sent = sender.flatMap { Self.failure($0, ends.sender, "the sender") }
        let received = Self.failure(receiver, ends.receiver, "the receiver")
        if let broken {
            return StepFailure(
                .final, code: "broken", message: "\(broken); ask for the transfer again",
                resource: ends.receiver.resource)
        }
        if let sent, sent.code != "cancelled" { return sent }
        return received ?? sent
            ?? StepFailure(
                .final, code: "failed", message: "not everything has arrived", resource: ends.receiver.resource)
    }

    private static func failure(
        _ end: Result<CommandResult, AgentError>, _ command: AgentCommand, _ who: String
    ) -> StepFailure? {
        switch end {
        case .failure(let error): return StepFailure(error, command.resource)
        case .success(let result):
            do throws(StepFailure) {
                _ = try result.observation(of: command.resource)
                return nil
            } catch {
                var failure = error
                failure.message = "\(who): \(error.message)"
                return failure
            }
        }
    }
}
