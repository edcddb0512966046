import DriverKit
import Glibc
import WireProtocol

/// One command within a container, as the engine keeps it.
struct Execution: Sendable {
    struct Status: Sendable, Hashable {
        var isRunning: Bool
        /// 0 before the start, and when there never was a process.
        var pid: Int64
        /// Nil before the start.
        var exitCode: Int64?
    }

    struct End: Sendable, Hashable {
        var pid: Int64
        var exitCode: Int64
    }

    let id: String
    let container: String
    let engine: Engine

    func status() async throws(EngineError) -> Status {
        let value = try await engine.call("GET", "/exec/\(id)/json", timeout: .seconds(10))
        return Status(
            isRunning: value["Running"]?.asBool ?? false, pid: value["Pid"]?.asInteger ?? 0,
            exitCode: value["ExitCode"]?.asInteger)
    }

    /// Nil when it still runs, or has not begun, after that time.
    func end(within limit: Duration) async throws(DriverError) -> End? {
        let last = ContinuousClock.now + limit
        while true {
            let status = try await engine.doing { () throws(EngineError) -> Status in try await self.status() }
            if !status.isRunning, let code = status.exitCode { return End(pid: status.pid, exitCode: code) }
            guard ContinuousClock.now < last else { return nil }
            do { try await Task.sleep(for: .milliseconds(50)) } catch { throw DriverError(.cancelled, "broken off") }
        }
    }

    /// Ends what may still run after a failure, also when the failure was the cancellation of this task, and says how
    /// that went.
    func abandoned(after error: DriverError) async -> DriverError {
        // Cancellation must not reach the clean-up.
        let ended = await Task { await self.killed() }.value
        if ended { return error }
        return DriverError(
            .unknownOutcome, "\(error.message); the command may still run in the container", cause: error.cause)
    }

    /// True when it is certain that no process of it is left.
    private func killed() async -> Bool {
        let steps: [(Int32, Duration)] = [(SIGTERM, .seconds(3)), (SIGKILL, .seconds(5)), (SIGKILL, .seconds(5))]
        for (signal, wait) in steps {
            guard let status = await statusOnceStarted() else { return false }
            if status.isRunning { send(signal, to: status.pid) }
            let ended: End?
            do { ended = try await end(within: status.isRunning ? wait : .zero) } catch { return false }
            if let ended {
                // What its shell started in the same group outlives it.
                send(SIGKILL, to: ended.pid)
                return true
            }
            if !status.isRunning { return true }
        }
        return false
    }

    /// A start whose answer was not awaited may still be under way: gives it two seconds to show.
    private func statusOnceStarted() async -> Status? {
        for _ in 0..<40 {
            guard let status = try? await self.status() else { return nil }
            if status.isRunning && status.pid > 0 || status.exitCode != nil { return status }
            try? await Task.sleep(for: .milliseconds(50))
        }
        return try? await status()
    }

    /// Signals the process group that the runtime made for the command: every member of the group that is in this
    /// container, so that a number that was given to somebody else is not hit.
    private func send(_ signal: Int32, to pid: Int64) {
        guard pid > 1 else { return }
        for member in ProcessFiles.members(ofGroup: Int32(pid)) where ProcessFiles.lies(member, inContainer: container)
        {
            kill(member, signal)
        }
    }
}
