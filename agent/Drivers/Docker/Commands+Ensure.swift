import DriverKit
import WireProtocol

/// `container.ensure`: look, act, look again.
extension DockerDriver {
    func ensureContainer(
        _ call: ActionCall, _ context: ActionContext
    ) async throws(DriverError) -> ActionOutcome {
        let asked = try ContainerSpec(call.arguments, secrets: call.secrets, mark: call.mark)
        while !creations.begin(asked.name) { try await pause(.milliseconds(50)) }
        defer { creations.end(asked.name) }
        let made = try await admitting(asked) { (spec) async throws(DriverError) in
            let made = try await self.make(spec, context)
            return (spec: spec, state: made.state, changed: made.changed)
        }
        // From here on there is a container of this service, which whoever gives up has to remove.
        do throws(DriverError) {
            return try await settle(made.state, made.spec, made.changed)
        } catch { throw error.afterChange() }
    }

    /// The container as it is to be, but for its limits and its state.
    private func make(
        _ spec: ContainerSpec, _ context: ActionContext
    ) async throws(DriverError) -> (state: ContainerState, changed: Bool) {
        var changed = false
        var state = try await look(spec.name)
        if let present = state, try await !adopts(present, spec) {
            context.progress("removing the container that is in the way")
            try await remove(present)
            (state, changed) = (nil, true)
        }
        if state == nil {
            context.progress("creating the container")
            changed = try await create(spec, by: context.commandID) || changed
            state = try await look(spec.name)
        }
        guard let state else { throw DriverError(.failed, "container \(spec.name) went away", retryable: true) }
        // Also when another call has just created it.
        guard try await adopts(state, spec) else { throw conflict(spec, ["state"]) }
        creations.forget(state.command)
        return (state, changed)
    }

    /// Gives the container its limits and its state.
    private func settle(
        _ state: ContainerState, _ spec: ContainerSpec, _ created: Bool
    ) async throws(DriverError) -> ActionOutcome {
        let limited = try await apply(spec.limits, to: state)
        let outcome = spec.runs ? try await started(state) : try await stopped(state, grace: 10)
        let observed = outcome.changed ? outcome.observed : try await existing(state.id).observed
        return ActionOutcome(changed: created || limited || outcome.changed, observed: observed)
    }

    /// Whether a container that bears the name can serve; false when it has to go first.
    /// - Throws: `conflict` when it belongs to somebody else, or differs and may not be replaced.
    private func adopts(_ state: ContainerState, _ spec: ContainerSpec) async throws(DriverError) -> Bool {
        guard state.owner == spec.owner else {
            throw DriverError(
                .foreign,
                "the name \(spec.name) is taken by a container of \(state.owner.map { "service \($0)" } ?? "somebody else")"
            )
        }
        if ["removing", "dead"].contains(state.status) { return false }
        let differences = spec.differences(from: state, image: try await lookAtImage(state.imageID))
        if differences.isEmpty { return true }
        guard spec.replaces else { throw conflict(spec, differences) }
        return false
    }

    private func conflict(_ spec: ContainerSpec, _ differences: [String]) -> DriverError {
        DriverError(
            .conflict,
            "container \(spec.name) exists with another \(differences.joined(separator: ", ")); "
                + "it changes only by being replaced")
    }

    /// False when somebody else has created one of that name meanwhile. The engine reserves a name before it shows the
    /// container, and a little longer than it shows it.
    private func create(_ spec: ContainerSpec, by command: String) async throws(DriverError) -> Bool {
        var attempts = 0
        while true {
            do {
                _ = try await engine.call(
                    "POST", "/containers/create", query: [("name", spec.name)], body: spec.creation(by: command),
                    timeout: .seconds(90))
                return true
            } catch {
                if error.isConflict, try await look(spec.name) != nil { return false }
                attempts += 1
                if error.mayHaveArrived { creations.add([command]) }
                guard error.isConflict, attempts < 50 else { throw error.driverError }
            }
            try await pause(.milliseconds(200))
        }
    }
}
