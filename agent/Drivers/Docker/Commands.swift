import DriverKit
import Model
import WireProtocol

extension DockerDriver {
    static let containerActions: [Action<DockerDriver>] = [
        Action(
            ActionSpec(
                "container.ensure", .mutate, defaultDeadline: .seconds(180),
                summary: "makes a container be as described, creating it where it is missing")
        ) { (driver, call, context) throws(DriverError) in try await driver.ensureContainer(call, context) },
        Action(ActionSpec("container.start", .mutate, summary: "starts a container")) {
            (driver, call, _) throws(DriverError) in try await driver.startContainer(call)
        },
        Action(
            ActionSpec(
                "container.stop", .mutate, defaultDeadline: .seconds(120), summary: "stops a container, gently first")
        ) { (driver, call, _) throws(DriverError) in try await driver.stopContainer(call) },
        Action(
            ActionSpec(
                "container.restart", .mutate, defaultDeadline: .seconds(120), summary: "stops and starts a container")
        ) { (driver, call, _) throws(DriverError) in try await driver.restartContainer(call) },
        Action(
            ActionSpec(
                "container.remove", .mutate, defaultDeadline: .seconds(120),
                summary: "removes a container that Innkeeper made")
        ) { (driver, call, _) throws(DriverError) in try await driver.removeContainer(call) },
        Action(ActionSpec("container.update", .mutate, summary: "changes memory, CPU and process limits")) {
            (driver, call, _) throws(DriverError) in try await driver.updateContainer(call)
        },
        Action(ActionSpec("container.inspect", .observe, summary: "shows one container")) {
            (driver, call, _) throws(DriverError) in try await driver.inspectContainer(call)
        },
        Action(ActionSpec("container.list", .observe, summary: "lists containers")) {
            (driver, call, _) throws(DriverError) in try await driver.listContainers(call)
        },
        Action(
            ActionSpec(
                "container.logs", .observe, defaultDeadline: .seconds(3600),
                summary: "sends what a container has written", lasting: true, givesBytes: true)
        ) { (driver, call, context) throws(DriverError) in try await driver.sendLogs(call, context) },
        Action(
            ActionSpec(
                "container.stats", .observe, defaultDeadline: .seconds(3600),
                summary: "measures one container now, or again and again", lasting: true)
        ) { (driver, call, context) throws(DriverError) in try await driver.measureContainer(call, context) },
    ]

    // MARK: looking

    /// Nil when there is no container of that name.
    func look(_ name: String) async throws(DriverError) -> ContainerState? {
        let value: JSONValue
        do {
            value = try await engine.call("GET", "/containers/\(name)/json")
        } catch {
            if error.isMissing { return nil }
            throw error.driverError
        }
        guard let state = ContainerState(value) else {
            throw DriverError(.failed, "the engine describes a container in an unknown way")
        }
        return state
    }

    func existing(_ name: String) async throws(DriverError) -> ContainerState {
        guard let state = try await look(name) else { throw DriverError(.notFound, "there is no container \(name)") }
        return state
    }

    /// A container that this driver may change: of a service, unless the caller says that it knows better.
    private func own(_ reader: inout ArgumentReader) async throws(DriverError) -> (name: String, state: ContainerState?)
    {
        let name = try reader.string("name")
        let takesForeign = try reader.bool("unmanaged")
        let service = try reader.optionalString("service")
        let state = try await look(name)
        if let state, state.owner == nil, !takesForeign {
            throw DriverError(.foreign, "container \(name) is not managed by Innkeeper")
        }
        if let service, let state, state.owner != service {
            throw DriverError(.foreign, "container \(name) belongs to another service")
        }
        return (name, state)
    }

    private func ownExisting(_ reader: inout ArgumentReader) async throws(DriverError) -> ContainerState {
        let (name, state) = try await own(&reader)
        guard let state else { throw DriverError(.notFound, "there is no container \(name)") }
        return state
    }

    // MARK: actions on what exists

    private func startContainer(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let state = try await ownExisting(&reader)
        try reader.finish()
        return try await started(state)
    }

    private func stopContainer(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let grace = try reader.integer("grace_s")
        let state = try await ownExisting(&reader)
        try reader.finish()
        return try await stopped(state, grace: grace)
    }

    private func restartContainer(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let grace = try reader.integer("grace_s")
        let state = try await ownExisting(&reader)
        try reader.finish()
        _ = try await stopped(state, grace: grace)
        let outcome = try await started(try await existing(state.id))
        return ActionOutcome(changed: true, observed: outcome.observed)
    }

    private func removeContainer(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let force = try reader.bool("force")
        let (name, state) = try await own(&reader)
        try reader.finish()
        let gone: JSONObject = ["name": .string(name), "state": "absent"]
        guard let state else { return ActionOutcome(changed: false, observed: gone) }
        if state.isRunning, !force { throw DriverError(.conflict, "container \(name) is running") }
        try await remove(state)
        return ActionOutcome(changed: true, observed: gone)
    }

    private func updateContainer(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let limits = try ContainerLimits(reading: &reader)
        let state = try await ownExisting(&reader)
        try reader.finish()
        guard !limits.isEmpty else { throw .invalidArgument("memory_bytes", "or cpu_millis or pids is missing") }
        let changed = try await apply(limits, to: state)
        return ActionOutcome(changed: changed, observed: try await existing(state.id).observed)
    }

    private func inspectContainer(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let name = try reader.string("name")
        try reader.finish()
        return ActionOutcome(changed: false, observed: try await existing(name).observed)
    }

    private func listContainers(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let stoppedToo = try reader.bool("all")
        let onlyOwn = try reader.bool("managed")
        try reader.finish()
        let entries = try await engine.doing { () throws(EngineError) -> [ContainerEntry] in
            try await engine.containers(all: stoppedToo, label: onlyOwn ? ContainerState.ownerLabel : nil)
        }
        return ActionOutcome(
            changed: false, observed: ["containers": .array(entries.map { .object($0.observed) })])
    }
}

extension Engine {
    func containers(all: Bool, label: String? = nil) async throws(EngineError) -> [ContainerEntry] {
        var query = [("all", all ? "1" : "0")]
        if let label {
            let filter: JSONValue = ["label": .array([.string(label)])]
            query.append(("filters", filter.text))
        }
        let answer = try await call("GET", "/containers/json", query: query)
        guard let values = answer.asArray else { throw .malformed("the engine's list of containers is no list") }
        return values.compactMap(ContainerEntry.init)
    }
}
