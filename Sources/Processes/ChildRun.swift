import CLinux
import Glibc
import Synchronization

/// One child from start to end: who may stop it, what was kept of its output, and who waits for it.
///
/// The work happens in a task that the caller's cancellation does not reach: the child is stopped in an orderly way
/// first, and a child that cannot be stopped must not hold the caller for ever.
final class ChildRun: Sendable {
    typealias Outcome = Result<ProcessOutcome, ProcessError>

    let request: ProcessRequest
    let onOutput: Child.Consumer?
    /// What every process of this run has in its environment, unless it takes care not to.
    let mark = Offspring.newMark()
    private let state: Mutex<State>
    /// Time for the kernel to carry out KILL before the child counts as unstoppable.
    private static let patience = Duration.seconds(5)
    /// How often a child that is not seen to live on is looked at again, a `patience` apart.
    private static let looks = 6

    private struct State {
        var ending = ProcessOutcome.Ending.itself
        var isStopping = false
        var stdout: KeptOutput
        var stderr: KeptOutput
        var pid: pid_t = 0
        var offspring: Offspring?
        var work: Task<Void, Never>?
        var timers: [Task<Void, Never>] = []
        var deliveries: [Child.Stream: Task<Bool, Never>] = [:]
        var waiter: CheckedContinuation<Outcome, Never>?
        var isSettled = false
    }

    init(_ request: ProcessRequest, _ onOutput: Child.Consumer?) {
        self.request = request
        self.onOutput = onOutput
        let empty = KeptOutput(limit: request.outputLimit)
        state = Mutex(State(stdout: empty, stderr: empty))
    }

    /// Starts the child and waits for its end.
    func result() async -> Outcome {
        await withCheckedContinuation { waiter in
            let begins = state.withLock { state in
                state.waiter = waiter
                guard !state.isStopping else { return false }
                state.work = Task { self.settle(await self.execute()) }
                if let deadline = request.deadline {
                    state.timers.append(after(deadline) { $0.stop(.deadline) })
                }
                return true
            }
            if !begins { settle(.failure(.cancelled)) }
        }
    }

    /// Asks the child to end, in the way of `Child.run`. Only the first call counts; a child that has ended by itself in
    /// the meantime is left its own ending, only its output is no longer handed on.
    func stop(_ reason: ProcessOutcome.Ending) {
        let stopped: [@Sendable () -> Void] = state.withLock { state in
            guard !state.isStopping, !state.isSettled else { return [] }
            state.isStopping = true
            let deliveries: [@Sendable () -> Void] = state.deliveries.values.map { task in { task.cancel() } }
            if state.pid != 0, linux_child_has_exited(state.pid) != 0 { return deliveries }
            state.ending = reason
            state.timers.append(after(request.grace + (request.mayBeKilled ? Self.patience : .zero)) { $0.giveUp() })
            return deliveries + [
                { [work = state.work, offspring = request.mayBeKilled ? state.offspring : nil] in
                    Task {
                        await offspring?.remember()
                        work?.cancel()
                        await offspring?.signalStrays(SIGTERM)
                    }
                }
            ]
        }
        for cancel in stopped { cancel() }
    }

    func started(_ pid: pid_t) {
        let offspring = Offspring(of: pid, mark: mark)
        state.withLock { ($0.pid, $0.offspring) = (pid, offspring) }
    }

    func keep(_ bytes: [UInt8], of stream: Child.Stream) {
        state.withLock { state in
            switch stream {
            case .stdout: state.stdout.append(bytes)
            case .stderr: state.stderr.append(bytes)
            }
        }
    }

    /// Hands bytes to the consumer, unless the child is being stopped.
    func deliver(_ bytes: [UInt8], of stream: Child.Stream) async {
        guard let onOutput else { return }
        let delivery: Task<Bool, Never>? = state.withLock { state in
            guard !state.isStopping else { return nil }
            let delivery = Task { await (try? onOutput(stream, bytes)) != nil }
            state.deliveries[stream] = delivery
            return delivery
        }
        if let delivery, await !delivery.value { stop(.cancelled) }
    }

    /// The outcome of a child that ended with `exit`, from what was kept.
    func outcome(_ exit: ProcessOutcome.Exit) -> ProcessOutcome {
        state.withLock { state in
            ProcessOutcome(
                exit: exit, stdout: state.stdout.bytes, stderr: state.stderr.bytes,
                truncated: state.stdout.truncated || state.stderr.truncated, ended: state.ending)
        }
    }

    /// Kills what is left of a child that was stopped: what ignored TERM when the child did not, and what it did not reach.
    func sweepIfStopped() async {
        let (offspring, ending) = state.withLock { ($0.offspring, $0.ending) }
        if ending != .itself, request.mayBeKilled { await offspring?.end() }
    }

    /// On a busy machine KILL may come late, and so may our own look at the end. Only a child that was there to be killed
    /// and lives on hangs in the kernel; one that has ended, or is still being started, is waited for.
    private func giveUp(looksLeft: Int = ChildRun.looks) {
        let (pid, offspring) = state.withLock { ($0.pid, $0.offspring) }
        let lives = pid != 0 && linux_child_has_exited(pid) == 0
        // The child hangs; what it has started need not.
        if request.mayBeKilled { Task { await offspring?.end() } }
        let wasKilledByUs = looksLeft < Self.looks
        if looksLeft == 0 || lives && (wasKilledByUs || !request.mayBeKilled) {
            return settle(.failure(.unstoppable(pid: pid)))
        }
        state.withLock { $0.timers.append(after(Self.patience) { $0.giveUp(looksLeft: looksLeft - 1) }) }
    }

    private func settle(_ outcome: Outcome) {
        let waiter: CheckedContinuation<Outcome, Never>? = state.withLock { state in
            if state.isSettled { return nil }
            state.isSettled = true
            for timer in state.timers { timer.cancel() }
            return state.waiter
        }
        waiter?.resume(returning: outcome)
    }

    private func after(_ time: Duration, _ act: @escaping @Sendable (ChildRun) -> Void) -> Task<Void, Never> {
        Task { [weak self] in
            guard (try? await Task.sleep(for: time)) != nil, let self else { return }
            act(self)
        }
    }
}

/// The first bytes of an output.
struct KeptOutput: Sendable {
    let limit: Int
    private(set) var bytes: [UInt8] = []
    private(set) var truncated = false

    init(limit: Int) { self.limit = limit }

    mutating func append(_ more: [UInt8]) {
        let room = limit - bytes.count
        bytes.append(contentsOf: more.prefix(max(0, room)))
        if more.count > room { truncated = true }
    }
}
