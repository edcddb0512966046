import NIOPosix

/// The one thread that waits for the disk, as the executor of the actors that write there: jobs run one after another in the
/// order in which they were asked for, and neither the event loop nor the concurrency pool ever waits for a sync.
package final class DiskThread: SerialExecutor {
    private let pool = NIOThreadPool(numberOfThreads: 1)

    package init() { pool.start() }

    deinit { pool.shutdownGracefully { _ in } }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        // The job keeps its actor, and the actor keeps this executor, until it has run.
        pool.submit { _ in job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }
}
