import Dispatch

/// Runs work that may wait for a disk, or that looks at every process, on a thread that may wait.
func aside<Result: Sendable>(_ work: @escaping @Sendable () -> Result) async -> Result {
    await withCheckedContinuation { done in
        DispatchQueue.global().async { done.resume(returning: work()) }
    }
}
