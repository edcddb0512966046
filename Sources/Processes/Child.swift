/// Runs child processes, each in a process group of its own.
package enum Child {
    package enum Stream: String, Sendable, Hashable {
        case stdout, stderr
    }

    /// Takes output as it comes; while it is suspended nothing more is read and the child waits. Throwing stops the child.
    package typealias Consumer = @Sendable (Stream, [UInt8]) async throws(CancellationError) -> Void

    /// Runs a child to its end and keeps what it says, up to the request's limit.
    ///
    /// The deadline, the cancellation of the calling task and a throwing consumer send TERM to the whole group and KILL
    /// after the grace; the outcome then says so. A background process that a child leaves behind on its pipes does not
    /// hold the call; after a normal end it lives on.
    package static func run(
        _ request: ProcessRequest, onOutput: Consumer? = nil
    ) async throws(ProcessError) -> ProcessOutcome {
        let run = ChildRun(request, onOutput)
        let result = await withTaskCancellationHandler {
            await run.result()
        } onCancel: {
            run.stop(.cancelled)
        }
        return try result.get()
    }
}
