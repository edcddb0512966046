import DriverKit
import Glibc
import WireProtocol

/// Making and removing containers.
extension ProxmoxDriver {
    static let creationActions: [Action<ProxmoxDriver>] = [
        Action(
            ActionSpec(
                "container.create", .mutate, defaultDeadline: .seconds(900),
                summary: "makes a container out of a template")
        ) { (driver, call, context) throws(DriverError) in try await driver.createContainer(call, context) },
        Action(
            ActionSpec(
                "container.destroy", .mutate, defaultDeadline: .seconds(600),
                summary: "removes a container with all its disks and snapshots")
        ) { (driver, call, _) throws(DriverError) in try await driver.destroyContainer(call) },
        Action(
            ActionSpec(
                "container.clone", .mutate, defaultDeadline: .seconds(3600), summary: "makes a container out of another"
            )
        ) { (driver, call, context) throws(DriverError) in try await driver.cloneContainer(call, context) },
        Action(
            ActionSpec(
                "container.template", .mutate, defaultDeadline: .seconds(300), summary: "makes a container a template")
        ) { (driver, call, _) throws(DriverError) in try await driver.makeTemplate(call) },
    ]

    private func createContainer(
        _ call: ActionCall, _ context: ActionContext
    ) async throws(DriverError) -> ActionOutcome {
        let creation = try Creation(call)
        try checkCreation(creation)
        if let found = try await look(creation.vmid), try await !removeHalfMade(found) {
            return try await adopt(found, creation, context)
        }
        if let stranger = try await files.aside({ $0.stranger(creation.vmid) }) {
            throw DriverError(.foreign, "the id is taken: there is \(stranger)")
        }
        try await checkRoom(creation.sizes)
        try await checkTemplate(creation.template)
        try await checkBridges(creation.settings.networks)
        abandonedCreations.forget(creation.vmid)
        context.progress("creating container \(creation.vmid)")
        do throws(DriverError) {
            let made = try await make(creation, context)
            guard creation.starts else { return ActionOutcome(changed: true, observed: made.json) }
            return ActionOutcome(changed: true, observed: try await startGuest(made).json)
        } catch {
            // What is there now has to be undone by whoever gives up.
            throw (try? await look(creation.vmid)) == nil ? error : error.afterChange()
        }
    }

    private func make(_ creation: Creation, _ context: ActionContext) async throws(DriverError) -> Guest {
        var keyFile: String?
        if !creation.keys.isEmpty {
            keyFile = FileText.privateFile(Array((creation.keys.joined(separator: "\n") + "\n").utf8))
            guard keyFile != nil else { throw DriverError(.failed, "the keys cannot be handed over", retryable: true) }
        }
        defer { if let keyFile { unlink(keyFile) } }
        let words = creation.words(command: context.commandID, keyFile: keyFile)
        return try await make(creation.vmid, context) { () throws(DriverError) in try await tools.act(.pct, words) }
    }

    /// What to do with a container that has the id already.
    private func adopt(
        _ found: Guest, _ creation: Creation, _ context: ActionContext
    ) async throws(DriverError) -> ActionOutcome {
        try await checkUnlocked(found, allowing: ["backup", "mounted", "snapshot", "snapshot-delete", "fstrim"])
        guard found.isOurs(creation.owner, context.commandID) else { throw found.isAnothers }
        let other = creation.differences(from: found)
        guard other.isEmpty else { throw found.hasOther(other) }
        guard creation.starts, !found.isRunning else { return .seen(found.json) }
        return ActionOutcome(changed: true, observed: try await startGuest(found).json)
    }

    /// The tool looks for neither room nor template before it begins; onto a full storage it makes a broken container
    /// and reports success.
    func checkRoom(_ sizes: [String: Int64]) async throws(DriverError) {
        let storages = try await storages(content: "rootdir")
        for (name, bytes) in sizes.sorted(by: { $0.key < $1.key }) {
            guard let storage = storages.first(where: { $0.name == name }) else {
                throw DriverError(.notFound, "there is no storage \(name) for containers")
            }
            guard storage.isActive else { throw DriverError(.unavailable, "storage \(name) is not active") }
            guard storage.availableBytes >= bytes else {
                let (free, asked) = (storage.availableBytes >> 20, bytes >> 20)
                throw DriverError(.outOfSpace, "storage \(name) has \(free) MiB free, \(asked) MiB are asked for")
            }
        }
    }

    private func checkTemplate(_ template: String) async throws(DriverError) {
        let shelf = String(template.prefix { $0 != ":" })
        guard try await volumes(on: shelf, content: "vztmpl").contains(where: { $0.id == template }) else {
            throw DriverError(.notFound, "there is no template \(template)")
        }
    }
}
