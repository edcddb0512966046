import DriverKit
import Model
import WireProtocol

/// Looking, and what every change needs.
extension ProxmoxDriver {
    static let lookActions: [Action<ProxmoxDriver>] = [
        Action(ActionSpec("container.list", .observe, summary: "lists the node's containers")) {
            (driver, call, _) throws(DriverError) in try await driver.listContainers(call)
        },
        Action(ActionSpec("container.inspect", .observe, summary: "shows one container")) {
            (driver, call, _) throws(DriverError) in try await driver.inspectContainer(call)
        },
        Action(ActionSpec("storage.list", .observe, summary: "lists the storages with their room")) {
            (driver, call, _) throws(DriverError) in try await driver.listStorages(call)
        },
        Action(ActionSpec("template.list", .observe, summary: "lists the templates of a storage")) {
            (driver, call, _) throws(DriverError) in try await driver.listTemplates(call)
        },
    ]

    private func listContainers(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        try ArgumentReader(call.arguments).finish()
        return .seen(["containers": .array(try await allGuests().map { .object($0.json) })])
    }

    private func inspectContainer(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let vmid = try reader.vmid()
        try reader.finish()
        return .seen(try await require(vmid).json)
    }

    private func listStorages(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        try ArgumentReader(call.arguments).finish()
        let shared = try await files.aside { $0.sharedStorages() }
        let found = try await storages().map { storage -> JSONValue in
            var json = storage.json
            json["shared"] = .bool(shared.contains(storage.name))
            return .object(json)
        }
        return .seen(["storages": .array(found)])
    }

    private func listTemplates(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let storage = try reader.string("storage")
        try reader.finish()
        let found = try await volumes(on: storage, content: "vztmpl")
        let templates = found.map { volume -> JSONValue in
            ["template": .string(volume.id), "size_bytes": volume.sizeBytes.map { .integer($0) } ?? nil]
        }
        return .seen(["storage": .string(storage), "templates": .array(templates)])
    }

    func storages(content: String? = nil) async throws(DriverError) -> [Storage] {
        Storage.parse(try await tools.read(.pvesm, ["status"] + (content.map { ["--content", $0] } ?? [])))
    }

    func volumes(on storage: String, content: String) async throws(DriverError) -> [Volume] {
        Volume.parse(try await tools.read(.pvesm, ["list", storage, "--content", content]))
    }

    func allGuests() async throws(DriverError) -> [Guest] {
        guard let guests = try await files.aside({ $0.guests() }) else { throw Self.clusterIsAway }
        return guests
    }

    /// Nil when this node has no such container.
    func look(_ vmid: Int) async throws(DriverError) -> Guest? {
        let (isThere, guest) = try await files.aside { ($0.isThere, $0.guest(vmid)) }
        guard isThere else { throw Self.clusterIsAway }
        return guest
    }

    func require(_ vmid: Int) async throws(DriverError) -> Guest {
        if let guest = try await look(vmid) { return guest }
        let stranger = try await files.aside { $0.stranger(vmid) }
        throw DriverError(
            .notFound, "there is no container \(vmid) on node \(files.node)", cause: stranger.map { "there is \($0)" })
    }

    /// Refuses a container that something else works on.
    /// - Parameter allowed: locks that do not stand in the way.
    func checkUnlocked(_ guest: Guest, allowing allowed: Set<String> = []) async throws(DriverError) {
        guard let lock = guest.config.lock, !allowed.contains(lock) else { return }
        throw try await lockError(guest, lock)
    }

    /// Whether a retry can help against a lock: it can where somebody lives who will take it away.
    func lockError(_ guest: Guest, _ lock: String) async throws(DriverError) -> DriverError {
        let isBusy = try await files.aside { $0.isBusy(guest.vmid) }
        let isAlive = isBusy || abandonedCreations.isRemoving(guest.vmid)
        return DriverError(
            .busy,
            isAlive
                ? "container \(guest.vmid) is locked (\(lock)) by an operation that is under way"
                : "container \(guest.vmid) is locked (\(lock)) by an operation that has died: see what it left, then unlock it",
            retryable: isAlive)
    }

    /// Acts, and looks until the container is as wanted. Neither success nor failure of the tool says that: an error
    /// counts only when the container is not as wanted, a success only when it is.
    /// - Parameter limit: time for it to become so after the tool has ended; what the HA manager does comes later.
    func achieve(
        _ vmid: Int, _ wanted: String, within limit: Duration = .seconds(5), _ isSo: (Guest?) -> Bool,
        by act: () async throws(DriverError) -> Void
    ) async throws(DriverError) -> Guest? {
        var failure: DriverError?
        do throws(DriverError) { try await act() } catch { failure = error }
        let end = ContinuousClock.now + limit
        while true {
            let found = try await look(vmid)
            if isSo(found) { return found }
            if let failure { throw failure }
            guard ContinuousClock.now < end else { break }
            try await pause(before: "container \(vmid) \(wanted)")
        }
        throw DriverError(.failed, "the tool reports success, but container \(vmid) never \(wanted)")
    }

    /// Waits a moment for something that comes by itself.
    func pause(before what: String) async throws(DriverError) {
        do { try await Task.sleep(for: .milliseconds(100)) } catch {
            throw DriverError(.unknownOutcome, "broken off before \(what)", retryable: true)
        }
    }

    static var clusterIsAway: DriverError {
        DriverError(.unavailable, "the cluster's file system /etc/pve is not there")
    }
}

extension ActionOutcome {
    /// The outcome of an action that only looks, or found all as wanted.
    static func seen(_ observed: JSONObject) -> ActionOutcome {
        ActionOutcome(changed: false, observed: observed)
    }
}

extension Storage {
    var json: JSONObject {
        [
            "storage": .string(name), "kind": .string(kind), "active": .bool(isActive),
            "total_bytes": .integer(totalBytes), "available_bytes": .integer(availableBytes),
        ]
    }
}
