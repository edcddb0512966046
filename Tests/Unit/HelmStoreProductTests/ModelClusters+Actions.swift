import AgentCommands
import WireProtocol

@testable import ControllerCore

extension ModelClusters.State {
    /// What the driver's actions do.
    mutating func run(_ call: AgentCommand) throws -> JSONObject {
        let name = try call.arguments.string("namespace")
        let mark = call.arguments["mark"]?["service"]?.asString
        if let mark, let space = belongings.spaces[name], space.service != mark { throw CommandErrorCode.foreign }
        switch call.action {
        case "namespace.ensure":
            if belongings.spaces[name] == nil { belongings.spaces[name] = Belongings.Space(service: mark) }
            return ["present": true]
        case "namespace.inspect": return ["present": .bool(belongings.spaces[name] != nil)]
        case "namespace.remove":
            belongings.spaces[name] = nil
            return ["present": false]
        case "secret.ensure":
            guard belongings.spaces[name] != nil else { throw CommandErrorCode.notFound }
            belongings.spaces[name]?.hasSecret = true
            return ["present": true]
        default: return try release(call, in: name)
        }
    }

    private mutating func release(_ call: AgentCommand, in name: String) throws -> JSONObject {
        let release = belongings.spaces[name]?.release
        switch call.action {
        case "release.status":
            guard let release else { return ["present": false] }
            return ["present": true, "status": release.isPending ? "pending-upgrade" : "deployed"]
        case "release.heal":
            if release?.isPending == true { belongings.spaces[name]?.release = nil }
            return ["present": .bool(belongings.spaces[name]?.release != nil)]
        case "release.install", "release.upgrade":
            guard belongings.spaces[name] != nil else { throw CommandErrorCode.notFound }
            if release?.isPending == true { throw CommandErrorCode.busy }
            if call.action == "release.upgrade", release == nil { throw CommandErrorCode.notFound }
            let values = try call.arguments.object("values")
            if call.action == "release.install", let release, release.values != values {
                throw CommandErrorCode.conflict
            }
            work(values, after: release?.values, in: name)
            belongings.spaces[name]?.release = Belongings.Release(values: values)
            return ["present": true, "chart": "store-1.0.0", "app_version": "1"]
        case "release.uninstall":
            belongings.spaces[name]?.release = nil
            return ["present": false]
        case "release.ready":
            guard release != nil else { throw CommandErrorCode.notFound }
            return [
                "ready": .bool(problems.isEmpty), "failed": .bool(hasFailed),
                "problems": .array(problems.map { .string($0) }),
                "pods": .array(
                    (said[name] ?? [:]).map {
                        ["name": .string("\($0.key)-x"), "phase": "Succeeded", "said": .string($0.value)]
                    }),
            ]
        default: throw CommandErrorCode.unsupported
        }
    }

    /// The job of a task runs once for each kind and id.
    private mutating func work(_ values: JSONObject, after before: JSONObject?, in name: String) {
        let task = values["task"]
        guard let kind = task?["kind"]?.asString, kind != "none" else { return said[name] = [:] }
        guard task != before?["task"], let id = task?["id"]?.asString else { return }
        belongings.deeds.append(kind)
        let from = task?["from"]?.asString ?? ""
        if kind == "remove" { backups[name]?.remove(from) }
        if kind == "prune" { backups[name] = backups[name]?.filter { $0 >= from } }
        guard kind == "backup" else { return }
        backups[name, default: []].insert(id)
        said[name] = ["backup-\(id)": "made \(id) 4711\n"]
    }
}
