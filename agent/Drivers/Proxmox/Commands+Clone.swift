import DriverKit
import Model
import Processes
import WireProtocol

/// Containers out of containers.
extension ProxmoxDriver {
    func cloneContainer(
        _ call: OperationCall, _ context: OperationContext
    ) async throws(DriverError) -> OperationOutcome {
        let cloning = try Cloning(call)
        if let found = try await look(cloning.vmid), try await !removeHalfMade(found) {
            return try await adopt(found, cloning, context)
        }
        if let stranger = try await files.aside({ $0.stranger(cloning.vmid) }) {
            throw DriverError(.conflict, "the id is taken: there is \(stranger)")
        }
        let source = try await require(cloning.source)
        try await checkUnlocked(source)
        try cloning.checkAddresses(of: source.config)
        abandonedCreations.forget(cloning.vmid)
        context.progress("cloning container \(source.vmid)")
        let words = cloning.words(command: context.commandID)
        do throws(DriverError) {
            let made = try await make(cloning.vmid, context) { () throws(DriverError) in
                try await tools.act(.pct, words)
            }
            let settings = cloning.settings
            let changes = settings.missing(in: made.config)
            guard !changes.isEmpty else { return OperationOutcome(changed: true, observed: made.json) }
            let end = try await apply(changes, cloning.vmid) { settings.missing(in: $0).isEmpty }
            return OperationOutcome(changed: true, observed: end.json)
        } catch {
            throw (try? await look(cloning.vmid)) == nil ? error : error.afterChange()
        }
    }

    private func adopt(
        _ found: Guest, _ cloning: Cloning, _ context: OperationContext
    ) async throws(DriverError) -> OperationOutcome {
        try await checkUnlocked(found, allowing: ["backup", "mounted", "snapshot", "snapshot-delete", "fstrim"])
        let isOurs =
            found.config.command == context.commandID
            || cloning.owner.map { found.config.owner == $0 } ?? false
        guard isOurs else { throw DriverError(.conflict, "the id is taken: container \(found.vmid) is there") }
        let settings = cloning.settings
        let changes = settings.missing(in: found.config)
        guard !changes.isEmpty else { return .seen(found.json) }
        let end = try await apply(changes, found.vmid) { settings.missing(in: $0).isEmpty }
        return OperationOutcome(changed: true, observed: end.json)
    }

    /// The tool exits 0 whatever became of it.
    func makeTemplate(_ call: OperationCall) async throws(DriverError) -> OperationOutcome {
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
        return OperationOutcome(changed: true, observed: end.json)
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
    private let snapshot: String?

    init(_ call: OperationCall) throws(DriverError) {
        var reader = ArgumentReader(call.arguments)
        vmid = try reader.vmid(of: call)
        source = try reader.vmid("source")
        settings = try GuestSettings(&reader)
        isFull = try reader.bool("full", default: true)
        storage = try reader.optionalText("storage", .storage)
        snapshot = try reader.optionalText("snapshot", .snapshot)
        owner = try reader.optionalName("owner", .identifier)
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

    func words(command: String) -> [String] {
        let hostname = settings.options.first { $0.name == "hostname" }?.value ?? ""
        return ["clone", "\(source)", "\(vmid)", "--hostname", hostname, "--full", isFull ? "1" : "0"]
            + ["--description", Creation.mark(owner: owner, command: command)]
            + (storage.map { ["--storage", $0] } ?? []) + (snapshot.map { ["--snapname", $0] } ?? [])
    }
}
