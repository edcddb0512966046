import DriverKit
import Model
import WireProtocol

/// `container.stats`: what the kernel counts of a container, without the engine's two seconds for each answer.
extension DockerDriver {
    func measureContainer(
        _ call: ActionCall, _ context: ActionContext
    ) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let name = try reader.string("name")
        let follows = try reader.bool("follow")
        let interval = try reader.optionalInteger("interval_ms")
        try reader.finish()
        let state = try await existing(name)
        guard state.isRunning else { throw DriverError(.conflict, "container \(name) is not running") }
        var meter = Meter(state: state)
        guard var latest = meter.read() else {
            throw DriverError(.failed, "the control groups of container \(name) cannot be read")
        }
        guard follows || interval != nil else { return ActionOutcome(changed: false, observed: latest) }
        repeat {
            try await pause(.milliseconds(interval ?? 1000))
            // Without a reading the container has ended: what was measured last is the answer.
            guard let next = meter.read() else { break }
            latest = next
            guard follows else { break }
            let line = JSONValue.object(latest).encoded + [UInt8(ascii: "\n")]
            do { try await context.output(.stdout, line) } catch { throw DriverError(.cancelled, "broken off") }
        } while true
        return ActionOutcome(changed: false, observed: latest)
    }

    /// Readings of one container, each compared with the one before.
    private struct Meter {
        let state: ContainerState
        var last: (cpu: Int64, at: ContinuousClock.Instant)?

        mutating func read() -> JSONObject? {
            guard let reading = ContainerReading(pid: state.pid, id: state.id, countsNetwork: state.network != "host")
            else { return nil }
            let now = ContinuousClock.now
            var object = reading.observed
            object["id"] = .string(state.id)
            object["epoch"] = .string(state.epoch)
            object["time"] = .integer(Timestamp.now().milliseconds)
            object["memory_limit_bytes"] = state.memoryLimit > 0 ? .integer(state.memoryLimit) : nil
            if let last, last.at < now {
                // 100 is one core.
                let share = Double(reading.cpu - last.cpu) / ((now - last.at) / .nanoseconds(1)) * 100
                object["cpu_percent"] = .number((share * 100).rounded() / 100)
            }
            last = (reading.cpu, now)
            return object
        }
    }
}
