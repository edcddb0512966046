package import AgentCommands
import Synchronization
import WireProtocol

/// Joins two commands: what one says is what the other reads, on another node or on the same.
///
/// The sender has as much credit as the receiver takes, so that a slow one at either end holds the other and nothing is
/// kept in between but one window. Bytes are never missing in silence: a jump in the sender's output, which a lost link
/// leaves, ends both commands.
package struct CommandRelay: Sendable {
    /// One of the two commands, and where it runs.
    package struct End: Sendable {
        package var command: AgentCommand
        package var node: String

        package init(_ command: AgentCommand, on node: String) { (self.command, self.node) = (command, node) }
    }

    private let fleet: Fleet
    /// Time between two looks at a receiver whose window is full.
    private static let pause = Duration.milliseconds(20)

    package init(_ fleet: Fleet) { self.fleet = fleet }

    /// Runs both commands to their ends. The receiver is started first and the sender when its node has taken it on. Of what
    /// their observers ask for, only the sender's progress is told.
    ///
    /// Cancelling the task asks both nodes to stop.
    package func run(from sender: End, to receiver: End) async -> RelayOutcome {
        let flow = Flow(fleet, sender.command.id, receiver.command.id)
        return await withTaskCancellationHandler {
            await join(sender, receiver, flow)
        } onCancel: {
            flow.stop("the relay was called off")
        }
    }

    private func join(_ sender: End, _ receiver: End, _ flow: Flow) async -> RelayOutcome {
        let (ready, signal) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        async let receiving = perform(receiver, CommandObserver(accepted: { signal.yield() })) {
            signal.finish()
            flow.receiverEnded()
        }
        var isReady = false
        for await _ in ready {
            isReady = true
            break
        }
        guard isReady else {
            return RelayOutcome(sender: nil, receiver: await receiving, bytes: 0, broken: flow.broken)
        }
        let observer = CommandObserver(
            progress: sender.command.observer.progress,
            output: { output in if output.stream == .stdout { await flow.pass(output) } })
        let sent = await perform(sender, observer) {}
        if case .success(let result) = sent, result.status == .succeeded {
            await flow.finish()
        } else {
            flow.senderFailed()
        }
        return RelayOutcome(sender: sent, receiver: await receiving, bytes: flow.position, broken: flow.broken)
    }

    private func perform(
        _ end: End, _ observer: CommandObserver, then ended: @Sendable () -> Void
    ) async -> Result<CommandResult, AgentError> {
        defer { ended() }
        var command = end.command
        command.observer = observer
        do throws(AgentError) {
            return .success(try await fleet.perform(command, on: end.node))
        } catch { return .failure(error) }
    }

    /// The bytes between the two.
    private final class Flow: Sendable {
        private struct State {
            var position: Int64 = 0
            var hasReceiver = true
            var isStopped = false
            var broken: String?
        }

        private let fleet: Fleet
        private let sender: String
        private let receiver: String
        private let state = Mutex(State())

        init(_ fleet: Fleet, _ sender: String, _ receiver: String) {
            (self.fleet, self.sender, self.receiver) = (fleet, sender, receiver)
        }

        var position: Int64 { state.withLock { $0.position } }
        var broken: String? { state.withLock { $0.broken } }
        private var isOpen: Bool { state.withLock { $0.hasReceiver && !$0.isStopped } }

        /// Hands output on; returns when the receiver's node has it, which is what gives the sender its credit.
        func pass(_ output: Output) async {
            // What comes behind the receiver's end is not lost, but not wanted.
            guard isOpen else { return }
            let place = position
            guard output.offset == place else {
                let isBehind = output.offset < place
                return stop(
                    isBehind
                        ? "the sender has begun anew" : "\(output.offset - place) bytes of the sender's output are lost"
                )
            }
            await give(output.data, end: false)
        }

        /// The sender has said the last.
        func finish() async { await give([], end: true) }

        private func give(_ data: [UInt8], end: Bool) async {
            while isOpen {
                let place = position
                switch fleet.input(data, at: place, end: end, to: receiver) {
                case .taken: return state.withLock { $0.position = place + Int64(data.count) }
                // The receiver that is gone says by its result why.
                case .unknown: return receiverEnded()
                case .full: if (try? await Task.sleep(for: CommandRelay.pause)) == nil { return }
                case .gap(let from): return stop("the receiver has \(from) bytes of \(place)")
                case .ended: return stop("the receiver's input was ended by somebody else")
                }
            }
        }

        /// A sender whose receiver has ended is not needed any more.
        func receiverEnded() {
            let isFirst = state.withLock { state in
                defer { state.hasReceiver = false }
                return state.hasReceiver
            }
            if isFirst { fleet.cancel(sender, reason: "the receiver has ended") }
        }

        /// The receiver must not take what it has for the whole.
        func senderFailed() {
            fleet.cancel(receiver, reason: "the sender did not end well")
        }

        func stop(_ reason: String) {
            let isFirst = state.withLock { state in
                defer { state.isStopped = true }
                if !state.isStopped { state.broken = reason }
                return !state.isStopped
            }
            guard isFirst else { return }
            for command in [sender, receiver] { fleet.cancel(command, reason: reason) }
        }
    }
}
