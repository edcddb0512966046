@_spi(ExperimentalCustomExecutors) @_spi(ExperimentalScheduling) import _Concurrency

/// Takes the place of Swift's own pool of threads: every job that belongs to no actor of a particular executor, and every
/// sleep, comes here.
final class SharedPool: TaskExecutor, SchedulingExecutor, MainExecutor {
    fileprivate static let shared = SharedPool()
    static let executor = UnownedTaskExecutor(ordinary: shared)

    func enqueue(_ job: consuming ExecutorJob) {
        let scheduler = Scheduler.shared
        scheduler.push(.job(UnownedJob(job), on: nil), to: scheduler.current.pool)
    }

    func enqueue<Clock: _Concurrency.Clock>(
        _ job: consuming ExecutorJob, after delay: Clock.Duration, tolerance: Clock.Duration?, clock: Clock
    ) {
        guard let delay = delay as? Duration else { fatalError("a clock of another kind") }
        let scheduler = Scheduler.shared
        let (seconds, attoseconds) = delay.components
        let wait = Swift.max(0, Swift.min(seconds, 1 << 32)) * 1_000_000_000 + Swift.max(0, attoseconds) / 1_000_000_000
        scheduler.push(.job(UnownedJob(job), on: nil), to: scheduler.current.pool, at: scheduler.now + wait)
    }

    func enqueue<Clock: _Concurrency.Clock>(
        _ job: consuming ExecutorJob, at instant: Clock.Instant, tolerance: Clock.Duration?, clock: Clock
    ) {
        enqueue(job, after: clock.now.duration(to: instant), tolerance: tolerance, clock: clock)
    }

    func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }
    func asUnownedTaskExecutor() -> UnownedTaskExecutor { UnownedTaskExecutor(ordinary: self) }
    func run() throws {}
    func stop() {}

    /// Call it before the first task of the process.
    package static func takeOver() { _createExecutors(factory: Factory.self) }

    private struct Factory: ExecutorFactory {
        static var mainExecutor: any MainExecutor { SharedPool.shared }
        static var defaultExecutor: any TaskExecutor { SharedPool.shared }
    }
}

/// A thread of one process's own, such as the one that waits for the disk.
final class SimulatedThread: SerialExecutor {
    // Unchecked by the compiler: one thread.
    private nonisolated(unsafe) let lane: Lane

    init(of owner: Owner) { lane = Lane(of: owner) }

    func enqueue(_ job: consuming ExecutorJob) { Scheduler.shared.push(.job(UnownedJob(job), on: self), to: lane) }
}
