import AgentCommands
import Model
import Saga
import Store
import WireProtocol

/// What the one step of a transfer may touch.
struct TransferScope: RunScope {
    let dependencies: Dependencies
    let operation: OperationRecord
    let transfer: Transfer
    /// Writes a line into the operation's log.
    let note: @Sendable (_ step: String, _ text: String) -> Void
}

extension OperationType {
    /// A snapshot that goes from one node to another.
    package static let transfer = OperationType(
        kind: Transfer.kind, access: .commands, places: .own(Operations.transferLimit), goesOnAfterRestore: false,
        outline: { _ in TransferSaga.outline },
        prepare: { preparation in
            let transfer = try Transfer(preparation.operation)
            let scope = TransferScope(
                dependencies: preparation.dependencies, operation: preparation.operation, transfer: transfer,
                note: preparation.note)
            return OperationWork(
                saga: TransferSaga.definition(of: transfer).bound(to: scope),
                begin: { store, _, _ throws(StoreError) in .context(try store.context(of: transfer.receiver)) })
        })
}

/// A transfer as a saga of one step without an undo. The bytes on their way are nowhere but on their way: one that was cut
/// off is ended at both nodes and never begun again by itself. Asked for again it goes on where it was, if ZFS keeps that.
enum TransferSaga {
    /// For the way to nodes that are just coming back, beyond the commands' own time.
    private static let allowance = Duration.seconds(300)
    private static let step = StepKey<NoOutput>("transfer")
    static var outline: [StepOutline] { [StepOutline(name: step.name, isAuxiliary: false)] }

    static func definition(of transfer: Transfer) -> SagaDefinition<TransferScope> {
        SagaDefinition(
            kind: Transfer.kind, deadline: transfer.receiver.deadline + allowance,
            steps: [
                SagaStep(
                    step, retry: RetryPolicy(attempts: 1, first: .milliseconds(250), most: .seconds(5)),
                    deadline: transfer.receiver.deadline, onInterrupted: .fail, act: perform)
            ])
    }

    private static func perform(_ scope: TransferScope, _ call: StepCall) async throws(StepFailure) -> NoOutput {
        let ends = TransferEnds(scope.transfer, scope.operation, call)
        if try await scope.knows(ends.receiver.id) {
            try await scope.settle(ends)
        } else {
            try await scope.begin(ends)
        }
        return NoOutput()
    }
}

/// The commands of both ends.
struct TransferEnds: Sendable {
    /// The one step of the saga.
    let step: String
    var sender: AgentCommand
    var receiver: AgentCommand
    /// Tells what an interrupted receive has left.
    var state: AgentCommand
    var hasToken = false

    init(_ transfer: Transfer, _ operation: OperationRecord, _ call: StepCall) {
        func agentCommand(_ suffix: String, _ command: NodeCommand, _ generation: Int64) -> AgentCommand {
            AgentCommand(
                id: call.command + suffix, resource: command.resource, generation: generation, driver: command.driver,
                action: command.action, arguments: command.arguments, deadline: call.deadline,
                trace: operation.id, by: operation.requestedBy)
        }
        step = call.step
        // The receiver's is the id by which the step is called off; the sender is stopped with it.
        receiver = agentCommand("", transfer.receiver, call.context[CommandSaga.generationKey]?.asInteger ?? 0)
        sender = agentCommand(".send", transfer.sender, 0)
        state = agentCommand(".state", transfer.receiver, 0)
        state.action = "receive.state"
        state.arguments = ["dataset": transfer.receiver.arguments["dataset"] ?? nil]
        state.deadline = .seconds(60)
    }

    /// The sender goes on with what an interrupted receive has left.
    mutating func goOn(with token: String, dataset: JSONValue?) {
        sender.arguments = ["dataset": dataset ?? nil, "resume_token": .string(token)]
        hasToken = true
    }
}
