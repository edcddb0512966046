import DriverKit
import Logging
import Model
import NIOCore
import WireProtocol

extension CommandRunner {
    var isIdle: Bool { inHand.isEmpty && queue.isIdle }

    /// Ends all work in order: nothing new, waiting commands go back undone, running ones may finish within the grace,
    /// then they are asked to stop. Every end is on disk when this returns, but for drivers that do not end at all:
    /// their commands are interrupted.
    func stop(grace: Duration, patience: Duration = .seconds(10)) async {
        isStopping = true
        for (id, work) in inHand.all where !work.hasLane { stop(id, .shutdown) }
        // Whoever waits for a restart sees what it waits for.
        around.logger.notice(
            "ending", metadata: ["running": "\(inHand.count)", "grace_s": "\(grace.components.seconds)"])
        await idle(within: grace)
        for id in inHand.ids { stop(id, .shutdown) }
        await idle(within: patience)
        for (id, work) in inHand.all {
            guard case .running = work.phase else { continue }
            inHand[id]?.isGivenUp = true
            let error = DriverError(.cancelled, "it did not stop when it was asked to")
            finish(id, work.failed(error, now: .now()))
        }
        inHand.waitForTheDiskAlone()
        await idle(within: patience)
    }

    func resumeIfIdle() {
        guard isIdle else { return }
        let waiters = whenIdle
        whenIdle = []
        for waiter in waiters { waiter.resume() }
    }

    private func idle(within limit: Duration) async {
        guard !isIdle else { return }
        let timer = after(limit) { runner in
            let waiters = runner.whenIdle
            runner.whenIdle = []
            for waiter in waiters { waiter.resume() }
        }
        await withCheckedContinuation { whenIdle.append($0) }
        timer.cancel()
    }
}
