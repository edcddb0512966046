import DriverKit
import Model
import Processes
import WireProtocol

/// Containers out of containers.
extension ProxmoxDriver {
    func cloneContainer(
        _ call: ActionCall, _ context: ActionContext
    ) async throws(DriverError) -> ActionOutcome {
        let cloning = try Cloning(call)
        if let found = try await look(cloning.vmid), try await !removeHalfMade(found) {
            return try await adopt(found, cloning, context)
        }
        if let stranger = try await files.aside({ $0.stranger(cloning.vmid) }) {
            throw DriverError(.foreign, "the id is taken: there is \(stranger)")
        }
        let source = try await require(cloning.source)
        try checkReach(of: source.config, "container \(source.vmid)")
        if let then = cloning.snapshot.flatMap({ source.config.asOf(snapshot: $0) }) {
            try checkReach(of: then, "the snapshot of container \(source.vmid)")
        }
        try await checkUnlocked(source)
        try cloning.checkAddresses(of: source.config)
        try await checkRoom(cloning.sizes(of: source.config))
        try await checkBridges(cloning.settings.networks)
        abandonedCreations.forget(cloning.vmid)
        context.progress("cloning container \(source.vmid)")
        let words = cloning.words(command: context.commandID)
        do throws(DriverError) {
            let made = try await make(cloning.vmid, context) { () throws(DriverError) in
                try await tools.act(.pct, words)
            }
            return ActionOutcome(changed: true, observed: try await finish(made, cloning).json)
        } catch {
            throw (try? await look(cloning.vmid)) == nil ? error : error.afterChange()
        }
    }

    /// Gives a copy its own settings. Its description says until then that they are still to come, so that a copy whose
    /// command has died is known as one.
    private func finish(_ made: Guest, _ cloning: Cloning) async throws(DriverError) -> Guest {
        let words = cloning.settings.plan(in: made.config).words
        let mark = (made.mark?.line ?? "") + "\n" + CopyNote(source: cloning.source, isUnfinished: false).line
        let end = try await apply(words + ["--description", mark], to: made) { config throws(DriverError) in
            cloning.settings.plan(in: config)
        }
        guard end.config.copyNote?.isUnfinished == false else {
            throw DriverError(.failed, "the description of container \(end.vmid) could not be set")
        }
        return end
    }

    /// What to do with a container that has the id already: only a copy of that very source, for the same service, is it.
    private func adopt(
        _ found: Guest, _ cloning: Cloning, _ context: ActionContext
    ) async throws(DriverError) -> ActionOutcome {
        try await checkUnlocked(found, allowing: ["backup", "mounted", "snapshot", "snapshot-delete", "fstrim"])
        guard found.isOurs(cloning.owner, context.commandID) else { throw found.isAnothers }
        let note = found.config.copyNote
        // Earlier versions did not note the source.
        guard note?.source == cloning.source || note == nil && found.mark?.vmid == nil else {
            throw DriverError(
                .conflict, "container \(found.vmid) is there, but it is no copy of container \(cloning.source)")
        }
        if note?.isUnfinished == true {
            return ActionOutcome(changed: true, observed: try await finish(found, cloning).json)
        }
        let plan = cloning.settings.plan(in: found.config)
        guard plan.asksNothing, plan.waiting.isEmpty else {
            let names = plan.settings.filter { $0.hasPrefix("--") }.map { String($0.dropFirst(2)) }
            throw found.hasOther(names + plan.waiting + plan.reverts)
        }
        return .seen(found.json)
    }

    /// The tool exits 0 whatever became of it.
    func makeTemplate(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let vmid = try reader.vmid(of: call)
        try reader.finish()
        let found = try await require(vmid)
        if found.config.isTemplate { return .seen(found.json) }
        if found.isRunning { throw DriverError(.conflict, "container \(vmid) runs") }
        try await checkUnlocked(found)
        let outcome = try await tools.act(.pct, ["template", "\(vmid)"])
        let end = try await require(vmid)
        guard end.config.isTemplate else {
            throw ProxmoxFailure.error(.pct, message: outcome.errorText, log: outcome.outputText)
        }
        return ActionOutcome(changed: true, observed: end.json)
    }
}

/// A clone as a call asks for it. Its name is asked for, because the tool would give it the name of its source.
struct Cloning: Sendable {
    let vmid: Int
    let source: Int
    let owner: String?
    /// What it has otherwise than its source.
    let settings: GuestSettings
    /// A copy of its own; where not, the storage shares what is the same (of a template only).
    private let isFull: Bool
    private let storage: String?
    let snapshot: String?

    init(_ call: ActionCall) throws(DriverError) {
        var reader = ArgumentReader(call.arguments)
        vmid = try reader.vmid(of: call)
        source = try reader.vmid("source")
        settings = try GuestSettings(&reader)
        isFull = try reader.bool("full")
        storage = try reader.optionalString("storage")
        snapshot = try reader.optionalString("snapshot")
        let named = try reader.optionalString("owner")
        owner = call.mark?.service ?? named
        try reader.finish()
        guard settings.options.contains(where: { $0.name == "hostname" }) else {
            throw .invalidArgument("hostname", "is missing")
        }
        if source == vmid { throw .invalidArgument("source", "is the container itself") }
    }

    /// The tool would give the clone the addresses of its source.
    func checkAddresses(of config: GuestConfig) throws(DriverError) {
        let own = Set(settings.networks.map(\.device))
        let fixed = config.numbered("net").first { key, properties in
            !own.contains(key) && ["ip", "ip6"].contains { properties[$0]?.contains("/") == true }
        }
        if let fixed {
            throw DriverError(.conflict, "\(fixed.key) would have the address of its source: networks must say which")
        }
    }

    /// Bytes that it takes of each storage; where it shares what is the same, none are known.
    func sizes(of source: GuestConfig) -> [String: Int64] {
        guard isFull else { return [:] }
        let values = snapshot.map { source.snapshot($0)?.values ?? [:] } ?? source.values
        return GuestConfig.sizes(of: values, on: storage)
    }

    private func description(_ command: String) -> String {
        GuestMark(service: owner, nonce: command, vmid: vmid).line + "\n"
            + CopyNote(source: source, isUnfinished: true).line
    }

    func words(command: String) -> [String] {
        let hostname = settings.options.first { $0.name == "hostname" }?.value ?? ""
        return ["clone", "\(source)", "\(vmid)", "--hostname", hostname, "--full", isFull ? "1" : "0"]
            + ["--description", description(command)]
            + (storage.map { ["--storage", $0] } ?? []) + (snapshot.map { ["--snapname", $0] } ?? [])
    }
}
