import DriverKit
import Model
import WireProtocol

extension DockerDriver {
    static let volumeActions: [Action<DockerDriver>] = [
        Action(ActionSpec("volume.list", .observe, summary: "lists volumes")) {
            (driver, call, _) throws(DriverError) in
            try ArgumentReader(call.arguments).finish()
            let volumes = try await driver.volumes()
            return ActionOutcome(
                changed: false, observed: ["volumes": .array(volumes.map { .object($0.observed) })])
        },
        Action(ActionSpec("volume.inspect", .observe, summary: "shows one volume")) {
            (driver, call, _) throws(DriverError) in
            var reader = ArgumentReader(call.arguments)
            let name = try reader.string("name")
            try reader.finish()
            guard let state = try await driver.lookAtVolume(name) else {
                throw DriverError(.notFound, "there is no volume \(name)")
            }
            return ActionOutcome(changed: false, observed: state.observed)
        },
        Action(ActionSpec("volume.ensure", .mutate, summary: "makes a local volume be there")) {
            (driver, call, _) throws(DriverError) in try await driver.ensureVolume(call)
        },
        Action(ActionSpec("volume.remove", .mutate, summary: "removes a volume and what is in it")) {
            (driver, call, _) throws(DriverError) in try await driver.removeVolume(call)
        },
    ]

    /// - Parameter dangling: only those that no container, running or not, mentions.
    func volumes(dangling: Bool = false) async throws(DriverError) -> [VolumeState] {
        let filters: JSONValue = ["dangling": ["true"]]
        let answer = try await engine.doing { () throws(EngineError) -> JSONValue in
            try await engine.call("GET", "/volumes", query: dangling ? [("filters", filters.text)] : [])
        }
        return (answer["Volumes"]?.asArray ?? []).compactMap(VolumeState.init).sorted { $0.name < $1.name }
    }

    func lookAtVolume(_ name: String) async throws(DriverError) -> VolumeState? {
        do {
            return VolumeState(try await engine.call("GET", "/volumes/\(name)"))
        } catch {
            if error.isMissing { return nil }
            throw error.driverError
        }
    }

    private func ensureVolume(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let name = try reader.string("name")
        let named = try reader.optionalString("service")
        let mark = call.mark ?? Mark(service: named ?? name)
        try reader.finish()
        let before = try await lookAtVolume(name)
        if before == nil {
            _ = try await engine.doing { () throws(EngineError) -> JSONValue in
                try await engine.call(
                    "POST", "/volumes/create",
                    body: [
                        "Name": .string(name), "Driver": "local",
                        "Labels": .object(mark.labels(on: name).json),
                    ])
            }
        }
        // The engine takes a creation of what is there for done, whosever it is.
        guard let after = try await lookAtVolume(name) else {
            throw DriverError(.failed, "volume \(name) went away", retryable: true)
        }
        guard after.owner == mark.service else {
            throw DriverError(
                .foreign,
                "the name \(name) is taken by a volume of \(after.owner.map { "service \($0)" } ?? "somebody else")")
        }
        return ActionOutcome(changed: before == nil, observed: after.observed)
    }

    private func removeVolume(_ call: ActionCall) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let name = try reader.string("name")
        let takesForeign = try reader.bool("unmanaged")
        try reader.finish()
        let gone: JSONObject = ["name": .string(name), "present": false]
        guard let state = try await lookAtVolume(name) else { return ActionOutcome(changed: false, observed: gone) }
        guard state.owner != nil || takesForeign else {
            throw DriverError(.foreign, "volume \(name) is not managed by Innkeeper")
        }
        // Without force: with it the engine calls everything done, also what it did not do.
        do { _ = try await engine.call("DELETE", "/volumes/\(name)", timeout: .seconds(300)) } catch {
            if error.isConflict {
                throw DriverError(
                    .busy, "volume \(name) is used by a container", retryable: false, cause: error.driverError.cause)
            }
            if !error.isMissing { throw error.driverError }
        }
        guard try await lookAtVolume(name) == nil else {
            throw DriverError(.failed, "volume \(name) is still there after its removal")
        }
        return ActionOutcome(changed: true, observed: gone)
    }
}

/// A volume as the engine shows it.
struct VolumeState: Sendable, Hashable {
    var name: String
    var driver: String
    var path: String
    var labels: [String: String]
    var created: String
    /// The folder of the node that it is; nil for one of the engine's own.
    var folder: String?

    init?(_ value: JSONValue) {
        guard let name = value["Name"]?.asString else { return nil }
        folder = value["Options"]?["device"]?.asString.flatMap { $0.hasPrefix("/") ? $0 : nil }
        self.name = name
        driver = value["Driver"]?.asString ?? "unknown"
        path = value["Mountpoint"]?.asString ?? ""
        labels = (value["Labels"]?.asObject ?? [:]).texts
        created = value["CreatedAt"]?.asString ?? ""
    }

    var owner: String? { labels[ContainerState.ownerLabel] }

    var observed: JSONObject {
        var object: JSONObject = ["name": .string(name), "driver": .string(driver), "path": .string(path)]
        object["service"] = owner.map { .string($0) }
        object["project"] = labels[ComposeLabel.project].map { .string($0) }
        object["created_at"] = ContainerState.time(created)
        return object
    }
}
