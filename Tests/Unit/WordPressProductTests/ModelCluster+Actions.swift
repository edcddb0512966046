import AgentCommands
import WireProtocol

@testable import ControllerCore

extension ModelCluster.State {
    /// What the driver does, on the model.
    mutating func run(_ call: AgentCommand, _ node: String) throws -> JSONObject {
        let arguments = call.arguments
        switch call.action {
        case "cluster.status":
            return [
                "quorate": true, "nodes": .array(nodes.values.sorted().map { ["node": .string($0), "online": true] }),
            ]
        case "storage.list":
            return [
                "storages": [
                    ["storage": "pool", "shared": .bool(isShared)],
                    ["storage": "backups", "shared": .bool(backupsAreShared)],
                ]
            ]
        case "container.create": return try create(call, node)
        case "container.restore": return try restore(call, node)
        case "backup.list":
            let (storage, vmid) = (try arguments.string("storage"), try arguments.integer("vmid"))
            let names = belongings.backups.keys.filter { $0.hasPrefix("\(storage):backup/vzdump-lxc-\(vmid)-") }
            let sizes = names.sorted().map { name -> JSONValue in
                ["backup": .string(name), "size_bytes": .integer(belongings.sizes[name] ?? 1)]
            }
            return ["storage": .string(storage), "backups": .array(sizes)]
        case "backup.destroy":
            if let guest = belongings.guests[try arguments.integer("vmid")] { try check(guest, arguments) }
            belongings.backups[try arguments.string("backup")] = nil
            return ["present": false]
        default: break
        }
        let vmid = try arguments.integer("vmid")
        if call.action == "container.migrate", let there = belongings.guests[vmid],
            nodes[there.node] == arguments["target"]?.asString
        {
            return see(there, vmid)
        }
        guard var guest = belongings.guests[vmid], guest.node == node else {
            if call.action == "container.destroy" { return ["present": false] }
            throw CommandErrorCode.notFound
        }
        // What bears no mark can be given one.
        if call.action != "container.mark" || guest.service != nil { try check(guest, arguments) }
        if call.action == "container.destroy" {
            guard !guest.isRunning || arguments["force"] == true else { throw CommandErrorCode.conflict }
            belongings.guests[vmid] = nil
            return ["present": false]
        }
        let observed = try change(&guest, call, vmid)
        belongings.guests[vmid] = guest
        return observed ?? see(guest, vmid)
    }

    private mutating func change(_ guest: inout Belongings.Guest, _ call: AgentCommand, _ vmid: Int64) throws
        -> JSONObject?
    {
        let arguments = call.arguments
        switch call.action {
        case "container.inspect": break
        case "container.mark":
            let mark = try arguments.object("mark")
            (guest.service, guest.nonce) = (try mark.string("service"), mark["nonce"]?.asString ?? call.id)
        case "container.start", "container.restart": guest.isRunning = true
        case "container.shutdown": guest.isRunning = false
        case "container.set":
            guest.memory = try arguments.optionalInteger("memory_mib") ?? guest.memory
            guest.cores = try arguments.optionalInteger("cores") ?? guest.cores
            guest.startsWithNode = try arguments.optionalBool("on_boot") ?? guest.startsWithNode
            guest.hostname = try arguments.optionalString("hostname") ?? guest.hostname
            if let card = arguments["networks"]?.asArray?.first?.asObject {
                guest.address = String(try card.string("ip").prefix { $0 != "/" })
            }
        case "container.resize":
            let size = try arguments.integer("size_mib") / 1024
            guard size >= guest.disk else { throw CommandErrorCode.conflict }
            guest.disk = size
        case "container.migrate":
            let name = try arguments.string("target")
            guard let target = nodes.first(where: { $0.value == name })?.key else { throw CommandErrorCode.notFound }
            guest.node = target
        case "container.backup":
            backupsMade += 1
            let name = namedBackup ?? "backups:backup/vzdump-lxc-\(vmid)-\(backupsMade).tar.zst"
            belongings.backups[name] = guest.state
            return ["backup": .string(name), "size_bytes": 1]
        case "snapshot.ensure":
            let name = try arguments.string("snapshot")
            if guest.snapshots[name] == nil { guest.snapshots[name] = guest.state }
        case "snapshot.destroy": guest.snapshots[try arguments.string("snapshot")] = nil
        case "snapshot.rollback":
            guard let state = guest.snapshots[try arguments.string("snapshot")] else { throw CommandErrorCode.notFound }
            guest.state = state
            guest.isRunning = arguments["start"] == true
        case "ha.add": guest.isInHA = true
        case "ha.remove": guest.isInHA = false
        case "recipe.look":
            let state = JSONValue.string(guest.isRunning ? "running" : "stopped")
            return [
                "returned": [
                    "nginx": state, "php_fpm": state, "mariadb": state, "wordpress_version": "6.8", "front_page": "200",
                ]
            ]
        case "recipe.run": return try runRecipe(in: &guest, call)
        default: throw CommandErrorCode.unknownOperation
        }
        return nil
    }

    private func check(_ guest: Belongings.Guest, _ arguments: JSONObject) throws {
        guard let mark = arguments["mark"]?.asObject else { return }
        guard guest.service == (try mark.string("service")) else { throw CommandErrorCode.foreign }
        if let nonce = try mark.optionalString("nonce"), nonce != guest.nonce { throw CommandErrorCode.foreign }
    }

    private mutating func create(_ call: AgentCommand, _ node: String) throws -> JSONObject {
        let arguments = call.arguments
        let (vmid, service) = (try arguments.integer("vmid"), try arguments.object("mark").string("service"))
        if let there = belongings.guests[vmid] {
            guard there.service == service, there.node == node else { throw CommandErrorCode.foreign }
            return see(there, vmid)
        }
        let card = try arguments.array("networks").first?.asObject ?? [:]
        let guest = Belongings.Guest(
            node: node, service: service, nonce: call.id, memory: try arguments.integer("memory_mib"),
            cores: try arguments.integer("cores"), disk: try arguments.object("rootfs").integer("size_gib"),
            address: String(try card.string("ip").prefix { $0 != "/" }), hostname: try arguments.string("hostname"),
            mac: try card.optionalString("mac") ?? "", startsWithNode: arguments["on_boot"] == true)
        belongings.guests[vmid] = guest
        return see(guest, vmid)
    }

    private mutating func restore(_ call: AgentCommand, _ node: String) throws -> JSONObject {
        let arguments = call.arguments
        let (vmid, name) = (try arguments.integer("vmid"), try arguments.string("backup"))
        guard let state = belongings.backups[name] else { throw CommandErrorCode.notFound }
        let service = try arguments.object("mark").string("service")
        var guest: Belongings.Guest
        if let there = belongings.guests[vmid] {
            try check(there, arguments)
            guard !there.isRunning, !there.isInHA, arguments["replace"] == true else { throw CommandErrorCode.conflict }
            guest = there
        } else {
            guest = Belongings.Guest(
                node: node, service: service, nonce: "", memory: 0, cores: 1, disk: 20, address: "192.0.2.10",
                hostname: "jane")
        }
        (guest.nonce, guest.state, guest.snapshots) = (call.id, state, [:])
        belongings.guests[vmid] = guest
        return see(guest, vmid)
    }

    /// The recipe: an installation keeps what it finds.
    private func runRecipe(in guest: inout Belongings.Guest, _ call: AgentCommand) throws -> JSONObject {
        guard guest.isRunning else { throw CommandErrorCode.conflict }
        guard call.arguments["recipe"] == "wordpress" else { throw CommandErrorCode.notFound }
        let parameters = try call.arguments.object("parameters")
        let secrets = call.secrets["parameters"]
        switch call.arguments["verb"]?.asString ?? "install" {
        case "install":
            guest.home = try parameters.string("url")
            if guest.password == nil { guest.password = secrets?["admin_password"]?.asString }
        case "password": guest.password = secrets?["password"]?.asString
        case "login": guard secrets?["token"] != nil else { throw CommandErrorCode.invalidArgument }
        case "address": guest.home = try parameters.string("url")
        default: throw CommandErrorCode.invalidArgument
        }
        return ["recipe": "wordpress", "returned": ["url": .string(guest.home ?? ""), "wordpress_version": "6.8"]]
    }

    func see(_ guest: Belongings.Guest, _ vmid: Int64) -> JSONObject {
        var seen: JSONObject = [
            "vmid": .integer(vmid), "status": guest.isRunning ? "running" : "stopped", "ha": .bool(guest.isInHA),
            "snapshots": .array(guest.snapshots.keys.sorted().map { .string($0) }),
        ]
        seen["networks"] = [["device": "net0", "mac": .string(guest.mac.uppercased())]]
        seen["owner"] = guest.service.map { .string($0) }
        seen["nonce"] = guest.service.map { _ in .string(guest.nonce) }
        return seen
    }
}
