import DriverKit
import Model
import WireProtocol

/// Removal of what nobody uses. One thing at a time and by its id, because the engine's own prune takes networks and
/// containers of services that are merely stopped. What bears Innkeeper's label is never taken.
extension DockerDriver {
    static let pruneActions: [Action<DockerDriver>] = [
        prune("container", "removes stopped containers that belong to no service and no project") {
            driver, scope throws(DriverError) in try await driver.idleContainers(scope)
        },
        prune("network", "removes networks that no container is to be in") {
            driver, _ throws(DriverError) in try await driver.idleNetworks()
        },
        prune("volume", "removes volumes that no container mentions, and what is in them") {
            driver, scope throws(DriverError) in try await driver.idleVolumes(scope)
        },
        prune("image", "removes images without a name; all that no container uses when asked") {
            driver, scope throws(DriverError) in try await driver.idleImages(scope)
        },
    ]

    /// What may be pruned: how old it must be, and whether named things count too.
    struct PruneScope: Sendable {
        var createdBefore: Timestamp
        /// Images with a name, volumes with a name, containers and networks of compose projects.
        var takesNamed: Bool
    }

    struct PruneItem: Sendable {
        var name: String
        var path: String
        var bytes: Int64 = 0
    }

    private static func prune(
        _ noun: String, _ summary: String,
        _ find: @escaping @Sendable (DockerDriver, PruneScope) async throws(DriverError) -> [PruneItem]
    ) -> Action<DockerDriver> {
        Action(ActionSpec("\(noun).prune", .mutate, defaultDeadline: .seconds(600), summary: summary)) {
            (driver, call, context) throws(DriverError) in
            var reader = ArgumentReader(call.arguments)
            let age = try reader.integer("older_than_s")
            let scope = PruneScope(
                createdBefore: Timestamp(milliseconds: Timestamp.now().milliseconds - age * 1000),
                takesNamed: try reader.bool("all"))
            let isTrial = try reader.bool("dry_run")
            try reader.finish()
            let items = try await find(driver, scope)
            return isTrial ? Self.outcome(items, [], isTrial: true) : try await driver.remove(items, context)
        }
    }

    private func remove(_ items: [PruneItem], _ context: ActionContext) async throws(DriverError) -> ActionOutcome {
        var removed: [PruneItem] = []
        var kept: [JSONValue] = []
        for item in items {
            do {
                // Never with force: whoever has begun to use it meanwhile keeps it.
                _ = try await engine.call("DELETE", item.path, timeout: .seconds(300))
                removed.append(item)
                context.progress("removed \(item.name)")
            } catch {
                if case .refused(let status, let message) = error {
                    if status != 404 { kept.append(["name": .string(item.name), "reason": .string(message)]) }
                } else {
                    let failure = error.driverError
                    throw removed.isEmpty ? failure : failure.afterChange()
                }
            }
        }
        return Self.outcome(removed, kept, isTrial: false)
    }

    private static func outcome(_ items: [PruneItem], _ kept: [JSONValue], isTrial: Bool) -> ActionOutcome {
        ActionOutcome(
            changed: !items.isEmpty && !isTrial,
            observed: [
                isTrial ? "found" : "removed": .array(items.map { .string($0.name) }), "kept": .array(kept),
                "bytes": .integer(items.reduce(0) { $0 + $1.bytes }),
            ])
    }

    private func idleContainers(_ scope: PruneScope) async throws(DriverError) -> [PruneItem] {
        let entries = try await engine.doing { () throws(EngineError) -> [ContainerEntry] in
            try await engine.containers(all: true)
        }
        return entries.filter { entry in
            ["exited", "dead", "created"].contains(entry.state) && entry.created < scope.createdBefore
                && entry.labels[ContainerState.ownerLabel] == nil && entry.command == nil
                && (scope.takesNamed || entry.labels[ComposeLabel.project] == nil)
        }.map { PruneItem(name: $0.name, path: "/containers/\($0.id)") }
    }

    private func idleNetworks() async throws(DriverError) -> [PruneItem] {
        let entries = try await engine.doing { () throws(EngineError) -> [ContainerEntry] in
            try await engine.containers(all: true)
        }
        let used = Set(entries.flatMap(\.networks))
        return try await networks().filter {
            !$0.isBuiltIn && $0.scope == "local" && $0.owner == nil && !used.contains($0.name) && !used.contains($0.id)
        }.map { PruneItem(name: $0.name, path: "/networks/\($0.id)") }
    }

    private func idleVolumes(_ scope: PruneScope) async throws(DriverError) -> [PruneItem] {
        try await volumes(dangling: true).filter {
            $0.owner == nil && $0.driver == "local" && (scope.takesNamed || $0.isAnonymous)
        }.map { PruneItem(name: $0.name, path: "/volumes/\($0.name)") }
    }

    private func idleImages(_ scope: PruneScope) async throws(DriverError) -> [PruneItem] {
        let entries = try await engine.doing { () throws(EngineError) -> [ContainerEntry] in
            try await engine.containers(all: true)
        }
        let used = Set(entries.map(\.imageID))
        let answer = try await engine.doing { () throws(EngineError) -> JSONValue in
            try await engine.call("GET", "/images/json")
        }
        return (answer.asArray ?? []).compactMap { value in
            guard let state = ImageState(value), !used.contains(state.id),
                let created = value["Created"]?.asInteger, created * 1000 < scope.createdBefore.milliseconds
            else { return nil }
            let tags = state.tags.filter { $0 != "<none>:<none>" }
            guard scope.takesNamed || tags.isEmpty else { return nil }
            // An image of several names is removed by each of them; without force an id would be refused.
            let reference = tags.count == 1 ? tags[0] : state.id
            return PruneItem(name: reference, path: "/images/\(reference)", bytes: state.size)
        }
    }
}

extension VolumeState {
    /// The engine names by 64 hexadecimal digits what nobody has named.
    var isAnonymous: Bool { name.utf8.count == 64 && name.allSatisfy(\.isHexDigit) }
}
