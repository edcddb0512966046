import ControllerCore
import DriverKit
import Model
import WireProtocol

/// The Kubernetes cluster that a node leads to: namespaces with their mark, a secret, one release and backups in each.
struct ClusterModel {
    struct Release: Equatable {
        var values: JSONObject
        /// As Helm has it: `deployed`, or pending since a Helm that died.
        var status = "deployed"
        var since: Moment
        /// From when on pods and jobs are ready.
        var readyAt: Moment
        /// What was in force before, while it is pending.
        var former: JSONObject?
    }

    struct Space: Equatable {
        var service: String
        var hasSecret = false
        var release: Release?
        var backups: Set<String> = []
    }

    private(set) var spaces: [String: Space] = [:]
    /// How long pods take.
    private(set) var slowness: Moment = .seconds(8)
    /// A release that is pending is left to whoever may work on it for so long.
    private static let patience: Moment = .seconds(900)

    typealias Answer = EngineModel.Answer

    /// Of all that is made from now on, and of what is on its way where that would be longer.
    mutating func take(_ slowness: Moment, from now: Moment) {
        self.slowness = slowness
        for name in spaces.keys {
            guard let ready = spaces[name]?.release?.readyAt else { continue }
            spaces[name]?.release?.readyAt = min(ready, now + slowness)
        }
    }

    mutating func perform(_ call: ActionCall, at now: Moment) -> Answer {
        let name = call.arguments["namespace"]?.asString ?? ""
        let (before, mark) = (spaces[name], call.arguments["mark"]?["service"]?.asString)
        if let before, let mark, before.service != mark { return .failure(.init(.foreign, "\(name) is another's")) }
        switch call.action {
        case "namespace.ensure": if before == nil { spaces[name] = Space(service: mark ?? "") }
        case "namespace.remove": spaces[name] = nil
        case "namespace.inspect": break
        case "secret.ensure":
            guard before != nil else { return .failure(.init(.notFound, "no namespace \(name)")) }
            spaces[name]?.hasSecret = true
        default:
            if let failure = release(call, in: name, at: now) { return .failure(failure) }
            return .success(ActionOutcome(changed: before != spaces[name], observed: state(ofRelease: name, now)))
        }
        return .success(ActionOutcome(changed: before != spaces[name], observed: state(ofSpace: name)))
    }

    private mutating func release(_ call: ActionCall, in name: String, at now: Moment) -> DriverError? {
        let release = spaces[name]?.release
        switch call.action {
        case "release.install", "release.upgrade":
            guard spaces[name] != nil else { return .init(.notFound, "no namespace \(name)") }
            if let busy = settle(name, after: Self.patience, at: now) { return busy }
            let (there, values) = (spaces[name]?.release, call.arguments["values"]?.asObject ?? [:])
            if call.action == "release.upgrade", there == nil { return .init(.notFound, "no release in \(name)") }
            if there?.values == values { return nil }
            if call.action == "release.install", there != nil { return .init(.conflict, "there is another release") }
            work(values, after: there?.values, in: name)
            spaces[name]?.release = Release(values: values, since: now, readyAt: now + slowness)
        case "release.heal":
            let age = call.arguments["min_age_s"]?.asInteger.map { Moment.seconds($0) } ?? Self.patience
            return settle(name, after: age, at: now)
        case "release.uninstall":
            if release?.status != "deployed", let release, now < release.since + Self.patience {
                return .init(.busy, "somebody may be working on the release in \(name)")
            }
            spaces[name]?.release = nil
        case "release.ready": if release == nil { return .init(.notFound, "no release in \(name)") }
        default: break
        }
        return nil
    }

    /// What hangs goes back to what was in force, once nobody can be at work on it.
    private mutating func settle(_ name: String, after age: Moment, at now: Moment) -> DriverError? {
        guard let release = spaces[name]?.release, release.status != "deployed" else { return nil }
        guard now >= release.since + age else {
            return .init(.busy, "somebody may be working on the release in \(name)")
        }
        spaces[name]?.release = release.former.map { Release(values: $0, since: now, readyAt: now + slowness) }
        return nil
    }

    /// The job of a task runs once for each kind and id.
    private mutating func work(_ values: JSONObject, after before: JSONObject?, in name: String) {
        guard let task = values["task"], task != before?["task"] else { return }
        let (id, from) = (task["id"]?.asString ?? "", task["from"]?.asString ?? "")
        switch task["kind"]?.asString {
        case "backup": spaces[name]?.backups.insert(id)
        case "remove": spaces[name]?.backups.remove(from)
        case "prune":
            let kept = (spaces[name]?.backups ?? []).filter { $0 >= from }
            spaces[name]?.backups = kept
        default: break
        }
    }

    /// A Helm that has just changed a release dies before it says so.
    mutating func abandon(_ call: ActionCall, over before: ClusterModel, at now: Moment) {
        guard ["release.install", "release.upgrade"].contains(call.action),
            let name = call.arguments["namespace"]?.asString, spaces[name]?.release?.since == now
        else { return }
        let former = before.spaces[name]?.release?.values
        spaces[name]?.release?.former = former
        spaces[name]?.release?.status = former == nil ? "pending-install" : "pending-upgrade"
    }

    // MARK: what is seen

    private func state(ofSpace name: String) -> JSONObject {
        guard let space = spaces[name] else { return ["namespace": .string(name), "present": false] }
        return [
            "namespace": .string(name), "present": true, "terminating": false, "problems": [],
            "claims": ["files", "data-db-0", "backups"], "mark": Mark(service: space.service, nonce: nil).json,
        ]
    }

    func state(ofRelease name: String, _ now: Moment) -> JSONObject {
        let words: JSONObject = ["namespace": .string(name), "release": .string(String(name.dropFirst(6)))]
        guard let release = spaces[name]?.release else { return words.merged(with: ["present": false]) }
        let isReady = now >= release.readyAt
        return words.merged(with: [
            "present": true, "status": .string(release.status), "chart": "store-1.0.0", "app_version": "1",
            "ready": .bool(isReady), "failed": false,
            "problems": isReady ? [] : ["deployment/web: 0 of 1 are available"], "pods": [],
        ])
    }
}
