import DriverKit
import Processes
import WireProtocol

/// Changing what a container has.
extension ProxmoxDriver {
    static let settingActions: [Action<ProxmoxDriver>] = [
        Action(ActionSpec("container.set", .mutate, summary: "changes the settings of a container")) {
            (driver, call, _) throws(DriverError) in try await driver.setContainer(call)
        },
        Action(
            ActionSpec(
                "container.resize", .mutate, defaultDeadline: .seconds(600),
                summary: "makes a disk of a container larger")
        ) { (driver, call, _) throws(DriverError) in try await driver.resizeDisk(call) },
    ]

    /// Sets what is not so yet. What a running container takes only when it stops is not done: it is listed as `pending`
    /// where the call says that it may wait, and taken back otherwise.
    private func setContainer(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let vmid = try reader.vmid(of: call)
        let change = try GuestChange(&reader)
        try reader.finish()
        let found = try await require(vmid)
        let plan = try change.plan(in: found.config)
        if plan.asksNothing, plan.waiting.isEmpty || change.mayWait { return .seen(found.json) }
        if plan.words.isEmpty { throw Self.waits(plan.waiting, found) }
        try await checkUnlocked(found)
        try await checkRoom(change.sizes(missingIn: found.config))
        try await checkBridges(change.settings.networks.filter { plan.words.contains("--\($0.device)") })
        let end = try await apply(plan.words, to: found, mayWait: change.mayWait) { config throws(DriverError) in
            try change.plan(in: config)
        }
        return ActionOutcome(changed: true, observed: end.json)
    }

    /// Runs the tool and looks what has come of it, both in force and for later.
    func apply(
        _ words: [String], to found: Guest, mayWait: Bool = false,
        _ plan: (GuestConfig) throws(DriverError) -> ChangePlan
    ) async throws(DriverError) -> Guest {
        var failure: DriverError?
        do throws(DriverError) { try await tools.act(.pct, ["set", "\(found.vmid)"] + words) } catch { failure = error }
        let end: Guest
        let left: ChangePlan
        do throws(DriverError) {
            end = try await require(found.vmid)
            left = try plan(end.config)
        } catch { throw failure ?? error }
        if left.asksNothing, left.waiting.isEmpty { return end }
        if let failure { throw await takingBack(failure, found) }
        guard left.asksNothing else {
            throw await takingBack(
                DriverError(.failed, "the tool reports success, but container \(found.vmid) never took the settings"),
                found)
        }
        guard mayWait else { throw await takingBack(Self.waits(left.waiting, found), found) }
        return end
    }

    private static func waits(_ keys: [String], _ found: Guest) -> DriverError {
        DriverError(
            .conflict,
            "container \(found.vmid) takes \(keys.sorted().joined(separator: ", ")) only when it stops, so it is not in "
                + "force: stop it first, or ask with apply=at_restart and restart it then")
    }

    /// Takes back what a change that failed has left to wait, and gives the container the network cards back that it has
    /// lost by it: the tool takes a card's cable away before it finds that the new one cannot be had.
    private func takingBack(_ error: DriverError, _ before: Guest) async -> DriverError {
        // Not in the caller's task, which may have been cancelled.
        await Task {
            guard let now = try? await self.look(before.vmid) else { return error }
            let words = Self.wayBack(from: now.config, to: before.config)
            if !words.isEmpty { _ = try? await self.tools.act(.pct, ["set", "\(before.vmid)"] + words) }
            guard let end = words.isEmpty ? now : try? await self.look(before.vmid) else { return error.afterChange() }
            let isAsBefore = end.config.values == before.config.values && end.config.pending == before.config.pending
            return isAsBefore ? error : error.afterChange()
        }.value
    }

    private static func wayBack(from now: GuestConfig, to before: GuestConfig) -> [String] {
        let cards = before.numbered("net").map(\.key).filter { now[$0] != before[$0] }
        let fresh = now.waiting.filter { key in
            !cards.contains(key)
                && (now.pending[key] != before.pending[key]
                    || now.pendingRemovals.contains(key) != before.pendingRemovals.contains(key))
        }
        return cards.flatMap { ["--\($0)", before[$0] ?? ""] }
            + (fresh.isEmpty ? [] : ["--revert", fresh.sorted().joined(separator: ",")])
    }

    /// A bridge that is not there costs a running container its network card, and another container its start.
    func checkBridges(_ networks: [NetworkSpec]) async throws(DriverError) {
        for bridge in networks.map(\.bridge) where try await !files.aside({ $0.hasInterface(bridge) }) {
            throw DriverError(.notFound, "there is no bridge \(bridge) on this node")
        }
    }
}
