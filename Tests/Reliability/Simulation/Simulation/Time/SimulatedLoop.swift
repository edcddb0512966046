import Dispatch
import NIOCore

/// An event loop of one simulated process.
final class SimulatedLoop: NIOSerialEventLoopExecutor, @unchecked Sendable {
    // Unchecked: one thread.
    private let lane: Lane

    init(of owner: Owner) {
        lane = Lane(of: owner)
        lane.loop = self
    }

    var owner: Owner { lane.owner }
    var inEventLoop: Bool { Scheduler.shared.currentLoop === self }
    var now: NIODeadline { .now() }

    func execute(_ task: @escaping @Sendable () -> Void) { Scheduler.shared.push(.closure(task), to: lane) }

    func enqueue(_ job: consuming ExecutorJob) { Scheduler.shared.push(.job(UnownedJob(job), on: self), to: lane) }

    /// From the world: something arrives at the loop at a time.
    func arrive(at time: Moment, _ body: @escaping () -> Void) {
        Scheduler.shared.push(.closure(body), to: lane, at: time)
    }

    func submit<Value>(_ task: @escaping @Sendable () throws -> Value) -> EventLoopFuture<Value> {
        let promise = makePromise(of: Value.self)
        execute { promise.assumeIsolated().completeWith(Result { try task() }) }
        return promise.futureResult
    }

    func scheduleTask<Value>(
        deadline: NIODeadline, _ task: @escaping @Sendable () throws -> Value
    ) -> Scheduled<Value> {
        scheduleTask(in: deadline - .now(), task)
    }

    func scheduleTask<Value>(
        in wait: TimeAmount, _ task: @escaping @Sendable () throws -> Value
    ) -> Scheduled<Value> {
        let promise = makePromise(of: Value.self)
        let alarm = Alarm()
        arrive(at: Scheduler.shared.now + Swift.max(0, wait.nanoseconds)) {
            guard !alarm.isOff else { return }
            promise.assumeIsolated().completeWith(Result { try task() })
        }
        return Scheduled(promise: promise) {
            alarm.isOff = true
        }
    }

    func shutdownGracefully(queue: DispatchQueue, _ callback: @escaping @Sendable ((any Error)?) -> Void) {
        callback(nil)
    }

    private final class Alarm: @unchecked Sendable { var isOff = false }
}
