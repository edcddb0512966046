import DriverKit
import Logging
import Model
import NIOCore
import WireProtocol

extension CommandRunner {
    var isIdle: Bool { works.isEmpty && queue.isIdle }

    /// Ends all work in order: nothing new, waiting commands go back undone, running ones may finish within the grace,
    /// then they are asked to stop. Every end is on disk when this returns, but for drivers that do not end at all:
    /// their commands are interrupted.
    func stop(grace: Duration, patience: Duration = .seconds(10)) async {
        isStopping = true
        for (id, work) in works where !work.hasLane { stop(id, .shutdown) }
        // Whoever waits for a restart sees what it waits for.
        around.logger.notice(
            "ending", metadata: ["running": "\(works.count)", "grace_s": "\(grace.components.seconds)"])
        await idle(within: grace)
        for id in works.keys { stop(id, .shutdown) }
        await idle(within: patience)
        for (id, work) in works {
            guard case .running = work.phase else { continue }
            works[id]?.isGivenUp = true
            let error = DriverError(.cancelled, "it did not stop when it was asked to")
            finish(id, work.failed(error, now: .now()))
        }
        works = works.filter { !$0.value.isGivenUp || $0.value.mutates }
        for id in works.keys where works[id]?.isGivenUp == true { works[id]?.isGivenUp = false }
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
