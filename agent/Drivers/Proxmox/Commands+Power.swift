import DriverKit
import WireProtocol

/// Starting and stopping. "Already so" is success, though not to the tool; a container of the HA manager takes its time.
extension ProxmoxDriver {
    static let powerActions: [Action<ProxmoxDriver>] = [
        Action(
            ActionSpec("container.start", .mutate, defaultDeadline: .seconds(180), summary: "starts a container")
        ) { (driver, call, _) throws(DriverError) in try await driver.startContainer(call) },
        Action(
            ActionSpec(
                "container.stop", .mutate, defaultDeadline: .seconds(180), summary: "stops a container at once")
        ) { (driver, call, _) throws(DriverError) in try await driver.stopContainer(call) },
        Action(
            ActionSpec(
                "container.shutdown", .mutate, defaultDeadline: .seconds(600),
                summary: "asks a container to end, and stops it where it does not")
        ) { (driver, call, _) throws(DriverError) in try await driver.shutDownContainer(call) },
        Action(
            ActionSpec(
                "container.restart", .mutate, defaultDeadline: .seconds(600),
                summary: "ends a container and starts it again")
        ) { (driver, call, _) throws(DriverError) in try await driver.restartContainer(call) },
    ]

    private func startContainer(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let vmid = try reader.vmid(of: call)
        try reader.finish()
        let found = try await require(vmid)
        if found.isSettled(on: true) { return .seen(found.json) }
        return ActionOutcome(changed: true, observed: try await startGuest(found).json)
    }

    private func stopContainer(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let vmid = try reader.vmid(of: call)
        let overrules = try reader.bool("overrule_shutdown")
        try reader.finish()
        let found = try await require(vmid)
        if found.isSettled(on: false) { return .seen(found.json) }
        return ActionOutcome(changed: true, observed: try await stopGuest(found, overruling: overrules).json)
    }

    private func shutDownContainer(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let vmid = try reader.vmid(of: call)
        let (seconds, force) = try Self.patience(&reader)
        try reader.finish()
        let found = try await require(vmid)
        if found.isSettled(on: false) { return .seen(found.json) }
        return ActionOutcome(changed: true, observed: try await shutDownGuest(found, seconds, force).json)
    }

    private func restartContainer(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let vmid = try reader.vmid(of: call)
        let (seconds, force) = try Self.patience(&reader)
        try reader.finish()
        var found = try await require(vmid)
        if found.isRunning { found = try await shutDownGuest(found, seconds, force) }
        do throws(DriverError) {
            return ActionOutcome(changed: true, observed: try await startGuest(found).json)
        } catch { throw error.afterChange() }
    }

    /// Seconds that a container has to end, and whether it is stopped then.
    private static func patience(_ reader: inout ArgumentReader) throws(DriverError) -> (Int64, Bool) {
        (try reader.integer("timeout_s"), try reader.bool("force"))
    }

    func startGuest(_ found: Guest) async throws(DriverError) -> Guest {
        try await checkUnlocked(found, allowing: ["mounted"])
        if found.config.isTemplate { throw DriverError(.conflict, "container \(found.vmid) is a template") }
        return try await turn(found, "ran", on: true, ["start", "\(found.vmid)"])
    }

    func stopGuest(_ found: Guest, overruling: Bool = false) async throws(DriverError) -> Guest {
        try await turn(
            found, "stopped", on: false, ["stop", "\(found.vmid)"] + (overruling ? ["--overrule-shutdown", "1"] : []))
    }

    private func shutDownGuest(_ found: Guest, _ seconds: Int64, _ force: Bool) async throws(DriverError) -> Guest {
        let words = ["shutdown", "\(found.vmid)", "--timeout", "\(seconds)", "--forceStop", force ? "1" : "0"]
        do throws(DriverError) {
            return try await turn(found, "stopped", on: false, words)
        } catch {
            guard force, error.code == .timedOut || error.code == .failed, !Task.isCancelled else { throw error }
            return try await stopGuest(found)
        }
    }

    private func turn(
        _ found: Guest, _ wanted: String, on: Bool, _ words: [String]
    ) async throws(DriverError) -> Guest {
        let vmid = found.vmid
        let end: Guest?
        var isRefused = false
        do throws(DriverError) {
            end = try await achieve(vmid, wanted, within: tools.patience) {
                $0.map { $0.isSettled(on: on) } ?? !on
            } by: {
                () throws(DriverError) in
                // The tool refuses what is so already, though the HA manager was asked for the opposite.
                do throws(DriverError) {
                    _ =
                        try await found.isRunning == on
                        ? tools.act(.haManager, ["set", "ct:\(vmid)", "--state", on ? "started" : "stopped"])
                        : tools.act(.pct, words)
                } catch {
                    isRefused = true
                    throw error
                }
            }
        } catch {
            guard found.isHAManaged, !isRefused, !Task.isCancelled else { throw error }
            throw await unanswered(found, on: on, error)
        }
        guard let end else { throw DriverError(.notFound, "container \(vmid) is gone") }
        return end
    }
}
