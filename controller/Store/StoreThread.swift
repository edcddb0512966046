import Glibc

/// The one thread on which a store works. Statements block on the disk, so they must not run on the threads that Swift
/// shares among all tasks.
final class StoreThread: SerialExecutor {
    private let state = ThreadState()

    init() throws(StoreError) { try state.start() }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let executor = asUnownedSerialExecutor()
        state.append { job.runSynchronously(on: executor) }
    }

    /// The thread ends after the jobs that are queued. It may be the one that runs this.
    deinit { state.stop() }
}

/// What the executor and its thread share, so that the thread does not keep the executor alive.
///
/// `@unchecked Sendable`: everything behind `mutex` is touched only while holding it.
private final class ThreadState: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let filled = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var queue: [@Sendable () -> Void] = []
    private var isStopping = false

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(filled, nil)
    }

    deinit {
        pthread_cond_destroy(filled)
        pthread_mutex_destroy(mutex)
        filled.deallocate()
        mutex.deallocate()
    }

    func start() throws(StoreError) {
        var thread = pthread_t()
        let argument = Unmanaged.passRetained(self).toOpaque()
        let code = pthread_create(
            &thread, nil,
            { argument in
                Unmanaged<ThreadState>.fromOpaque(argument!).takeRetainedValue().run()
                return nil
            }, argument)
        guard code == 0 else {
            Unmanaged<ThreadState>.fromOpaque(argument).release()
            throw .failed("no thread: \(String(cString: strerror(code)))")
        }
        pthread_detach(thread)
    }

    func append(_ job: @escaping @Sendable () -> Void) {
        pthread_mutex_lock(mutex)
        queue.append(job)
        pthread_mutex_unlock(mutex)
        pthread_cond_signal(filled)
    }

    func stop() {
        pthread_mutex_lock(mutex)
        isStopping = true
        pthread_mutex_unlock(mutex)
        pthread_cond_signal(filled)
    }

    private func run() {
        while let jobs = next() {
            for job in jobs { job() }
        }
    }

    private func next() -> [@Sendable () -> Void]? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while queue.isEmpty {
            if isStopping { return nil }
            pthread_cond_wait(filled, mutex)
        }
        defer { queue = [] }
        return queue
    }
}
