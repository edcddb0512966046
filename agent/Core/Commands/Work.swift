import DriverKit
import Model
import NIOCore
import WireProtocol

/// A command that the agent has in hand, from its line until its result is safe.
struct Work {
    enum Phase: Sendable {
        /// Its receipt is being written.
        case admitting
        case waiting
        case running
        /// The result is being written, or could not be yet.
        case ending(CommandResult)
    }

    /// Why a running command is asked to stop.
    enum Stop: Sendable, Hashable {
        case cancel(String)
        case deadline
        case shutdown
        case inputOverflow
    }

    let command: Command
    let digest: String
    let spec: ActionSpec
    var phase = Phase.admitting
    /// It may run as far as others are concerned.
    var hasLane: Bool
    /// The receipt was written as running from the start.
    let begins: Bool
    var stop: Stop?
    var window: OutputWindow
    var started: Timestamp?
    var task: Task<Void, Never>?
    var deadline: Scheduled<Void>?
    /// Runs when the driver does not end after it was asked to.
    var patience: Scheduled<Void>?
    /// Its result was told although the driver has not ended.
    var isGivenUp = false
    var writers: [CheckedContinuation<Void, Never>] = []
    let input: InputPipe
    let screens = AsyncStream.makeStream(of: TerminalSize.self, bufferingPolicy: .bufferingNewest(1))

    init(_ command: Command, digest: String, spec: ActionSpec, begins: Bool, input: InputPipe) {
        self.command = command
        self.digest = digest
        self.spec = spec
        (self.begins, hasLane) = (begins, begins)
        window = OutputWindow(credit: Int(clamping: command.window))
        self.input = input
    }

    /// Something may change on the node: it has a receipt on disk.
    var mutates: Bool { spec.kind == .mutate }

    var status: CommandStatus {
        switch phase {
        case .admitting, .waiting: .accepted
        case .running: .running
        case .ending(let result): result.status
        }
    }
}
