import DriverKit
import WireProtocol

/// The moves of a container's life. Each looks again afterwards and answers with what is.
extension DockerDriver {
    func started(_ before: ContainerState) async throws(DriverError) -> ActionOutcome {
        if before.status == "running" { return ActionOutcome(changed: false, observed: before.observed) }
        try await checkFirstStart(before)
        let move = before.status == "paused" ? "unpause" : "start"
        var refusal: EngineError?
        do {
            _ = try await engine.call("POST", "/containers/\(before.id)/\(move)", timeout: .seconds(90))
        } catch {
            if error != .already { refusal = error }
        }
        await roster.forget()
        guard let after = try await look(before.id) else {
            throw DriverError(.notFound, "container \(before.name) went away while it was started")
        }
        if after.status == "running" { return ActionOutcome(changed: true, observed: after.observed) }
        throw startFailure(after, refusal)
    }

    /// Why a container that was started does not run.
    private func startFailure(_ state: ContainerState, _ refusal: EngineError?) -> DriverError {
        let refused = refusal?.driverError
        if let refused, refused.code == .cancelled || refused.retryable { return refused }
        if !state.startError.isEmpty {
            let why =
                switch state.exitCode {
                case 126: "its command may not be executed"
                case 127: "its command was not found"
                default: "the runtime refused"
                }
            return DriverError(
                refused?.code ?? .failed, "container \(state.name) cannot start: \(why)", retryable: false,
                cause: state.startError)
        }
        if let refused { return refused }
        let memory = state.outOfMemory ? ", out of memory" : ""
        return DriverError(.failed, "container \(state.name) ended at once with code \(state.exitCode)\(memory)")
    }

    func stopped(_ before: ContainerState, grace: Int64) async throws(DriverError) -> ActionOutcome {
        guard before.isRunning else { return ActionOutcome(changed: false, observed: before.observed) }
        // A frozen process cannot end, whatever it is sent.
        if before.status == "paused" {
            _ = try await engine.ensuring { () throws(EngineError) in
                _ = try await engine.call("POST", "/containers/\(before.id)/unpause")
            }
        }
        _ = try await engine.ensuring { () throws(EngineError) in
            _ = try await engine.call(
                "POST", "/containers/\(before.id)/stop", query: [("t", String(grace))], timeout: .seconds(grace + 30))
        }
        await roster.forget()
        let after = try await existing(before.id)
        guard !after.isRunning else {
            throw DriverError(
                .failed, "container \(before.name) is still \(after.status) after the stop", retryable: true)
        }
        return ActionOutcome(changed: true, observed: after.observed)
    }

    /// Removes this very container, running or not, and waits until it is gone.
    func remove(_ state: ContainerState) async throws(DriverError) {
        do {
            _ = try await engine.call(
                "DELETE", "/containers/\(state.id)", query: [("force", "1"), ("v", "1")], timeout: .seconds(60))
        } catch {
            // Somebody else is removing it already: wait with them.
            let isUnderWay = error.isConflict && error.driverError.code == .busy
            guard error.isMissing || isUnderWay else { throw error.driverError }
        }
        await roster.forget()
        for _ in 0..<150 {
            if try await look(state.id) == nil { return }
            try await pause(.milliseconds(200))
        }
        throw DriverError(.busy, "container \(state.name) is still being removed")
    }

    /// True when anything had to be changed.
    func apply(_ limits: ContainerLimits, to state: ContainerState) async throws(DriverError) -> Bool {
        let missing = limits.missing(in: state)
        guard !missing.isEmpty else { return false }
        // A container made with a quota keeps it: the engine refuses the other form.
        let quota = (state.host["CpuQuota"]?.asInteger ?? 0) > 0
        _ = try await engine.doing { () throws(EngineError) -> JSONValue in
            try await engine.call("POST", "/containers/\(state.id)/update", body: missing.body(quota: quota))
        }
        let left = limits.missing(in: try await existing(state.id))
        guard left.memory == nil, left.cpu == nil else {
            throw DriverError(.failed, "the engine took new limits of container \(state.name) but does not show them")
        }
        return true
    }

    func pause(_ time: Duration) async throws(DriverError) {
        do { try await Task.sleep(for: time) } catch { throw DriverError(.cancelled, "broken off") }
    }
}
