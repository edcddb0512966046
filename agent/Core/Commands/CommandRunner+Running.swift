import NIOCore
import Logging
import DriverKit
import Model
import WireProtocol

extension CommandRunner {
    /// How long a driver may take to end after it was asked to: it has its own grace for child processes within this.
    private static let patience = Duration.seconds(30)

    /// The lane is the command's, and its receipt says so.
    func run(_ id: String) {
        guard let work = inHand[id], let driver = drivers[work.command.driver] else { return }
        if let stop = work.stop {
            leaveLane(id)
            return finish(id, work.neverBegan(stop, now: .now()))
        }
        inHand[id]?.phase = .running
        inHand[id]?.started = .now()
        let call = work.command.call
        let context = context(for: work)
        inHand[id]?.task = Task.detached { [weak self] in
            let result: Result<ActionOutcome, DriverError>
            do throws(DriverError) {
                result = .success(try await driver.perform(call, context))
            } catch { result = .failure(error.about(call)) }
            await self?.ended(id, result)
        }
    }

    private func ended(_ id: String, _ result: Result<ActionOutcome, DriverError>) {
        guard let work = inHand[id] else { return }
        work.patience?.cancel()
        work.input.finish()
        work.screens.continuation.finish()
        leaveLane(id)
        guard !work.isGivenUp else {
            inHand[id] = nil
            return resumeIfIdle()
        }
        switch result {
        case .success(let outcome): finish(id, work.succeeded(outcome, now: .now()))
        case .failure(let error): finish(id, work.failed(error, now: .now()))
        }
    }

    /// The command's end is known; it is told when it is on disk, without secrets and in a form that the controller can
    /// take.
    func finish(_ id: String, _ result: CommandResult) {
        guard let work = inHand[id] else { return }
        let result = Redaction(of: work.command).result(result).fitting
        work.deadline?.cancel()
        wakeWriters(of: id)
        inHand[id]?.phase = .ending(result)
        lastWords.keep(id, work.window)
        if work.mutates { write(.finish(id: id, result: result)) } else { observed(id, result) }
        if work.mutates, work.started != nil { around.changed(work.command.driver) }
    }

    func finished(_ id: String, _ result: CommandResult) {
        if inHand[id]?.isGivenUp == false { inHand[id] = nil }
        untold.tell(id)
        if !lastWords.holds(id) { around.outlet.send(.result(result)) }
        resumeIfIdle()
    }

    private func observed(_ id: String, _ result: CommandResult) {
        if inHand[id]?.isGivenUp == false { inHand[id] = nil }
        untold.keep(result)
        if !lastWords.holds(id) { around.outlet.send(.result(result)) }
        resumeIfIdle()
    }

    /// Ends a command's time in its lane and starts who was waiting for it.
    func leaveLane(_ id: String) { start(inHand.leave(id)) }

    private func start(_ ids: [String]) {
        for next in ids {
            inHand[next]?.hasLane = true
            // While its receipt is on the way to the disk, it begins when that has arrived.
            if case .waiting? = inHand[next]?.phase { begin(next) }
        }
    }

    /// Says on disk that the command runs, then runs it.
    func begin(_ id: String) {
        if inHand[id]?.mutates == true { write(.begin(id: id, time: .now())) } else { run(id) }
    }

    /// Asks a command to stop, wherever it is.
    func stop(_ id: String, _ stop: Work.Stop) {
        guard let work = inHand[id] else {
            if case .cancel = stop { cancelUnknown(id) }
            return
        }
        guard work.stop == nil else { return }
        switch work.phase {
        case .ending: return
        case .admitting: inHand[id]?.stop = stop
        case .waiting:
            inHand[id]?.stop = stop
            guard !work.hasLane else { return }
            leaveLane(id)
            finish(id, work.neverBegan(stop, now: .now()))
        case .running:
            inHand[id]?.stop = stop
            work.task?.cancel()
            wakeWriters(of: id)
            inHand[id]?.patience = after(Self.patience) { $0.giveUp(id) }
        }
    }

    /// The driver did not end. Its lane stays taken, since nobody knows what it still does; the asker need not wait.
    private func giveUp(_ id: String) {
        guard let work = inHand[id], case .running = work.phase else { return }
        around.logger.error("a command did not stop", metadata: ["command": "\(id)"])
        inHand[id]?.isGivenUp = true
        finish(id, work.givenUp(now: .now()))
        start(inHand.abandon(id))
    }

    /// A cancel of a command that is not in hand: its receipt is the answer, or that there is none.
    private func cancelUnknown(_ id: String) {
        Task {
            guard let receipt = try? await around.journal.receipt(id) else {
                let error = CommandError(
                    code: .notFound, message: "this node has no receipt of the command", retryable: false,
                    operation: "cancel", resource: "command/\(id)")
                let now = Timestamp.now().milliseconds
                around.outlet.send(
                    .result(CommandResult(id: id, status: .refused, changed: false, error: error, finished: now)))
                return
            }
            guard var result = receipt.result else { return }
            result.replayed = true
            untold.tell(id)
            around.outlet.send(.result(result))
        }
    }
}
